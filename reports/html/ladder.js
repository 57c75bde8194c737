"use strict";
/* Elements are made by hand: nothing that a peer sent is ever read as HTML. */
function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
        if (value === null || value === undefined || value === false) continue;
        if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
        else node.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) node.append(child);
    return node;
}

function findingsOf(line, conn, row) {
    return (line.findings || []).filter((f) => f.conn === conn.name && f.pdu === row.n && (f.side === "target") === (row.s === 1));
}

function marked(findings, from, to) {
    return findings.some((f) => f.length > 0 && f.severity !== "info" && f.offset < to && f.offset + f.length > from);
}

function maybeMark(on, ...children) {
    return on ? el("mark", {}, ...children) : el("span", {}, ...children);
}

function hexDump(bytes, row, findings) {
    const pre = el("pre", { class: "hex" });
    for (let at = 0; at < bytes.length; at += 16) {
        const end = Math.min(at + 16, bytes.length);
        pre.append(el("span", { class: "at" }, at.toString(16).padStart(4, "0") + "  "));
        for (let i = at; i < at + 16; i++) {
            const gap = i % 16 === 7 ? "  " : " ";
            if (i >= end) { pre.append("  " + gap); continue; }
            const text = bytes[i].toString(16).padStart(2, "0");
            pre.append(marked(findings, i, i + 1) ? el("mark", {}, text) : text, gap);
        }
        pre.append(" ");
        const ascii = el("span", { class: "ascii" });
        for (let i = at; i < end; i++) {
            const sign = bytes[i] >= 0x20 && bytes[i] < 0x7f ? String.fromCharCode(bytes[i]) : ".";
            ascii.append(marked(findings, i, i + 1) ? el("mark", {}, sign) : sign);
        }
        pre.append(ascii, "\n");
    }
    if (row.len > bytes.length) pre.append(`… ${row.len} bytes in all`);
    return pre;
}

function keyList(row, bytes, findings) {
    const pairs = pairsOf(row, bytes);
    if (pairs.length === 0) return null;
    return el("ul", { class: "keys mono" }, pairs.slice(0, 60).map((p) => el("li", {}, maybeMark(marked(findings, p.from, p.to),
        p.key === null ? null : el("span", { class: "k" }, p.key + "="), p.value), p.open ? el("span", { class: "k" }, " (no null)") : null)),
    pairs.length > 60 ? el("li", { class: "k" }, `… and ${pairs.length - 60} more`) : null);
}

function fieldList(fields, findings) {
    const shown = fields.filter((f) => !f.reserved || f.value !== 0n);
    return el("div", { class: "fields" }, el("dl", { class: "mono" }, shown.map((f) =>
        el("div", {}, el("dt", {}, f.name), el("dd", {}, maybeMark(marked(findings, f.from, f.to), f.text))))));
}

function findingBox(f) {
    return el("div", { class: "found " + (f.severity === "fail" ? "" : f.severity) },
        el("b", {}, f.rule), f.ignored ? " (not counted in this case)" : "", ": ", el("span", { class: "mono" }, f.was), " — allowed: ",
        el("span", { class: "mono" }, f.allowed), f.length > 0 ? ` (bytes ${f.offset} to ${f.offset + f.length - 1})` : "");
}

function timeText(row, before) {
    const ms = row.t / 1000;
    return before === null ? `${ms.toFixed(2)} ms` : `+${((row.t - before) / 1000).toFixed(2)} ms`;
}

function pduBox(line, conn, row, before) {
    const bytes = bytesOf(row.hex), fields = fieldsOf(bytes), findings = findingsOf(line, conn, row);
    const bad = findings.some((f) => f.severity !== "info" && !f.ignored);
    const name = bytes.length >= 48 ? layoutOf(bytes[0] & 0x3f).name : "Bytes";
    const detail = el("div", { hidden: true });
    const open = () => {
        if (!detail.firstChild) detail.append(fieldList(fields, findings), hexDump(bytes, row, findings));
        detail.hidden = !detail.hidden;
        head.setAttribute("aria-expanded", String(!detail.hidden));
    };
    const head = el("button", { type: "button", "aria-expanded": "false", onclick: open },
        el("span", { class: "name" }, `${row.s ? "←" : "→"} ${name}`), el("span", { class: "flags mono" }, summaryOf(bytes, fields)),
        el("span", { class: "when" }, `${row.part ? "incomplete, " : ""}${row.len} B · ${timeText(row, before)}`));
    const box = el("div", { class: `pdu ${row.s ? "in" : "out"}${bad ? " bad" : ""}` }, head, keyList(row, bytes, findings),
        row.notes ? el("ul", { class: "notes" }, row.notes.map((n) => el("li", { class: n[0] }, n[1]))) : null,
        findings.map(findingBox), detail);
    if (bad || bytes.length < 48) open();
    return box;
}

function eventLine(row) {
    const who = row.s ? "target" : "initiator";
    if (row.end) return el("p", { class: "event" }, el("b", {}, `The ${who} closes`), ` (${row.end}, ${row.first ? "first" : "after the other end"})`);
    if (row.gap) return el("p", { class: "event" }, `${row.gap} bytes are missing`);
    return el("p", { class: "event" }, row.note[1]);
}

function ladderOf(line, ladder) {
    const box = el("div", { class: "ladder" });
    for (const conn of ladder.conns) {
        const lane = el("div", { class: "lane" });
        let before = null;
        for (const row of conn.rows) {
            lane.append(row.n ? pduBox(line, conn, row, before) : eventLine(row));
            if (row.n) before = row.t;
        }
        if (conn.more) lane.append(el("p", { class: "event" }, `… and ${conn.more} more PDUs`));
        const loose = (line.findings || []).filter((f) => f.conn === conn.name && !f.pdu);
        const v6 = (a) => (a.includes(":") ? `[${a}]` : a);
        box.append(el("h3", {}, `Connection ${conn.name}${conn.connected ? "" : ", not connected"}`),
            el("div", { class: "ends" }, el("span", {}, el("b", {}, "initiator "), conn.ports ? `${v6(conn.local)}:${conn.ports[0]}` : ""),
                el("span", {}, el("b", {}, "target "), conn.ports ? `${v6(conn.remote)}:${conn.ports[1]}` : "")), lane, loose.map(findingBox));
    }
    if (ladder.more) box.append(el("p", { class: "event" }, `… and ${ladder.more} more connections`));
    return box;
}
