"use strict";
function serverClass(row) {
    return { seen: "yes", wrong: "no", other: "other", forced: "other" }[row.server] || "none";
}

function serverCell(run, row, index) {
    const text = { seen: "✓ seen", wrong: "✗ " + (row.instead || "wrong"), other: "○ " + (row.instead || ""), forced: "forced" }[row.server] || "–";
    const id = row.shown_by || row.missed_by;
    return el("td", { class: "cell " + serverClass(row), title: row.reason || null }, id ? el("button", { class: "link", type: "button", onclick: () => goToCase(id, index) }, text) : text);
}

const CLASSES = { 0: "Success", 1: "Redirection", 2: "Initiator error", 3: "Target error" };

function codeRows(make) {
    const rows = [];
    let last = -1;
    data.wire.statuses.forEach(([code, name], i) => {
        if (code >> 8 !== last) { last = code >> 8; rows.push(el("tr", { class: "group" }, el("th", { colspan: 9, scope: "rowgroup" }, CLASSES[last] || `Class ${last}`))); }
        rows.push(el("tr", {}, el("th", { scope: "row", class: "mono" }, hexText(code, 4)), el("td", {}, name), make(i)));
    });
    return rows;
}

function head(...names) {
    return el("thead", {}, el("tr", {}, names.map((n) => el("th", { scope: "col" }, n))));
}

function coverageTable(run, index) {
    const cell = (good, text) => el("td", { class: "cell " + (good ? "yes" : "no") }, text);
    return el("div", { class: "card scroll" }, el("table", {}, head("Code", "Name", run.decoder || "Decoder", "Server", "Test", "Notes"), el("tbody", {}, codeRows((i) => {
        const row = run.codes[i];
        const note = [row.reason, row.note, row.source].filter(Boolean).join(" · ");
        return [cell(row.decoded, row.decoded ? "✓" : "✗"), serverCell(run, row, index), cell(row.test === "proven" && !row.failed, row.test === "proven" ? (row.failed ? `${row.failed} of ${row.ran} failed` : "✓") : row.test === "not-run" ? "not run" : "unproven"),
            el("td", {}, el("span", { class: "why" }, note))];
    }))));
}

function matrixTable() {
    return el("div", { class: "card scroll" }, el("table", {}, head("Code", "Name", ...data.runs.map((r) => r.name)), el("tbody", {}, codeRows((i) => data.runs.map((run, k) => serverCell(run, run.codes[i], k))),
        el("tr", {}, el("th", { scope: "row", colspan: 2 }, "Seen"), data.runs.map((r) => el("td", {}, el("b", {}, `${r.counts.server} of ${data.wire.statuses.length}`)))))));
}

function stack(s) {
    const sum = s.proven + s.checked + s.broken + s.unreached || 1;
    const part = (name, n) => el("i", { class: name, style: `width:${(100 * n) / sum}%` });
    return el("div", { class: "stack", title: `${s.proven} proven kept, ${s.checked} checked, ${s.broken} broken, ${s.unreached} not reached` }, part("proven", s.proven), part("checked", s.checked), part("broken", s.broken));
}

function rulesTable() {
    const subjects = data.runs[0].subjects.map((s) => s.subject);
    const row = (subject) => el("tr", {}, el("th", { scope: "row", class: "mono" }, subject), data.runs.map((run, index) => {
        const s = run.subjects.find((x) => x.subject === subject) || { proven: 0, checked: 0, broken: 0, unreached: 0, rules: [] };
        const cells = [el("td", {}, stack(s))];
        const broken = s.broken ? el("button", { class: "link no", type: "button", title: s.rules.join(" "), onclick: () => brokenOf(subject, index) }, String(s.broken)) : "0";
        if (several) return el("td", {}, stack(s), el("span", { class: "why" }, `${s.proven} kept · `, broken, " broken"));
        return cells.concat([s.proven, s.checked].map((n) => el("td", { class: "num" }, String(n))), el("td", { class: "num" }, broken), el("td", { class: "num" }, String(s.unreached)));
    }));
    const names = several ? ["Subject", ...data.runs.map((r) => r.name)] : ["Subject", "", "Proven kept", "Checked", "Broken", "Not reached"];
    return el("details", { class: "card" }, el("summary", {}, data.runs.map((run) => {
        const sum = totalOf(run.subjects);
        return [el("span", {}, `${several ? run.name + ": " : ""}${sum.proven} proven kept, ${sum.checked} checked, ${sum.broken} broken, ${sum.unreached} not reached`), stack(sum)];
    })), el("div", { class: "scroll" }, el("table", {}, head(...names), el("tbody", {}, subjects.map(row)))));
}

function totalOf(subjects) {
    const add = (name) => subjects.reduce((n, s) => n + s[name], 0);
    return { proven: add("proven"), checked: add("checked"), broken: add("broken"), unreached: add("unreached") };
}

/* A subject's broken rules: the cases that show them. */
function brokenOf(subject, index) {
    const s = data.runs[index].subjects.find((x) => x.subject === subject);
    goTo({ text: s.rules.length === 1 ? s.rules[0] : `l-${subject.toLowerCase()}-`, target: several ? String(index) : "", verdicts: new Set(["FAIL", "WARN", "XFAIL", "CRASH"]) }, s.rules.length === 1);
}

function runCard(run, index) {
    const total = data.wire.statuses.length;
    const meter = (name, n) => [el("span", {}, name), el("span", { class: "bar" }, el("i", { style: `width:${(100 * n) / total}%` })), el("span", {}, `${n}/${total}`)];
    const counts = VERDICTS.filter((v) => run.verdicts[v]);
    return el("section", { class: "card run" }, el("h2", {}, run.title), el("p", {}, [run.target_version, `profile ${run.name}`, run.started, run.interrupted ? "interrupted" : "", run.selection && run.selection.length ? `selected ${run.selection.join(" ")}` : "", run.shard ? `shard ${run.shard}` : ""].filter(Boolean).join(" · ")),
        el("div", { class: "meter" }, meter("Decoder", run.counts.decoder), meter("Server", run.counts.server), meter("Test", run.counts.test)),
        el("div", { class: "chips" }, counts.map((v) => el("button", { class: "chip", type: "button", onclick: () => goTo({ verdicts: new Set([v]), target: several ? String(index) : "" }) }, badge(v), " ", String(run.verdicts[v])))));
}

function waiverTable() {
    const rows = data.runs.flatMap((run) => (run.waivers || []).map((w) => [run, w]));
    if (rows.length === 0) return [];
    const words = { used: "in use", passed: "not needed any more", ended: "ended", idle: "could not be told" };
    return [el("h2", { id: "waivers" }, "Known failures"), el("div", { class: "card scroll" }, el("table", {}, head("Covers", "State", "Why", "Ends"), el("tbody", {}, rows.map(([run, w]) =>
        el("tr", {}, el("td", { class: "mono" }, [...w.case, ...w.rule].join(" "), several ? el("div", { class: "why" }, run.name) : null), el("td", { class: w.state === "ended" || w.state === "passed" ? "no" : "" }, words[w.state] || w.state, w.state === "used" && w.failed ? `, ${w.failed}×` : ""),
            el("td", {}, w.reason, w.why ? el("div", { class: "why" }, w.why) : null), el("td", { class: "mono" }, w.until || w.target_version || ""))))))];
}

function filterBar() {
    const present = VERDICTS.filter((v) => all.some((i) => i.line.verdict === v));
    verdictChips = present.map((v) => el("button", { class: "chip", type: "button", "data-verdict": v, "aria-pressed": "false", onclick: () => {
        const next = new Set(state.verdicts);
        if (!next.delete(v)) next.add(v);
        setFilter({ verdicts: next });
    } }, badge(v), " ", String(all.filter((i) => i.line.verdict === v).length)));
    search = el("input", { type: "search", id: "search", placeholder: "Search: case, code, rule, reason  ( / )", "aria-label": "Search cases", oninput: () => setFilter({ text: search.value }) });
    const option = (value, text) => el("option", { value }, text);
    subjectSelect = el("select", { id: "subject", "aria-label": "Subject", onchange: () => setFilter({ subject: subjectSelect.value }) }, option("", "all subjects"), [...new Set(all.map((i) => i.line.subject))].sort().map((s) => option(s, s)));
    targetSelect = several ? el("select", { id: "target", "aria-label": "Target", onchange: () => setFilter({ target: targetSelect.value }) }, option("", "all targets"), data.runs.map((r, i) => option(String(i), r.name))) : null;
    return el("div", { class: "filter" }, search, subjectSelect, targetSelect, el("div", { class: "chips" }, verdictChips, el("button", { class: "chip", type: "button", id: "clear", onclick: () => setFilter({ text: "", verdicts: new Set(), subject: "", target: "" }) }, "clear")));
}

function draw() {
    document.title = several ? "iscsispec: " + data.runs.map((r) => r.name).join(", ") : `iscsispec: ${data.runs[0].title}`;
    document.getElementById("top").append(el("h1", {}, several ? "iSCSI login: targets side by side" : "iSCSI login conformance"), el("p", { class: "sub" }, "Which of the 18 login status codes and which rules of RFC 7143 a target gets right, with the bytes as proof."), el("div", { class: "runs" }, data.runs.map(runCard)));
    const main = document.getElementById("main");
    main.append(el("h2", { id: "codes" }, "Status codes"), several ? matrixTable() : coverageTable(data.runs[0], 0));
    if (data.runs[0].subjects.length) main.append(el("h2", { id: "rules" }, "Rules by subject"), rulesTable());
    main.append(...waiverTable());
    list = el("div", { class: "card cases" });
    count = el("p", { class: "count", "aria-live": "polite" });
    main.append(el("h2", { id: "cases" }, "Cases"), filterBar(), count, list);
    document.getElementById("nav").append(el("ul", {}, [["codes", "Codes"], ["rules", "Rules"], ["waivers", "Known failures"], ["cases", "Cases"]].filter(([id]) => document.getElementById(id)).map(([id, text]) => el("li", {}, el("a", { href: "#" + id }, text)))));
    document.getElementById("foot").append(`Made by iscsispec ${data.version}.`);
    redraw();
}

function followAddress() {
    const m = /^#case=(.+)$/.exec(location.hash);
    if (m) goToCase(decodeURIComponent(m[1]));
}

draw();
window.addEventListener("hashchange", followAddress);
document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) { e.preventDefault(); search.focus(); }
});
followAddress();
