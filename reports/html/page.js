"use strict";
const VERDICTS = ["CRASH", "FAIL", "XPASS", "ERROR", "WARN", "XFAIL", "SKIP", "PASS"];
const several = data.runs.length > 1;
const all = [];
data.runs.forEach((run, index) => run.cases.forEach((line) => all.push({ run, index, line,
    text: [line.id, line.title, line.reason, line.code >= 0 ? hexText(line.code, 4) : "", (line.proves || []).join(" "),
        (line.findings || []).map((f) => f.rule).join(" "), run.name].join(" ").toLowerCase() })));
all.sort((a, b) => VERDICTS.indexOf(a.line.verdict) - VERDICTS.indexOf(b.line.verdict) || (a.line.id < b.line.id ? -1 : a.line.id > b.line.id ? 1 : a.index - b.index));

const state = { text: "", verdicts: new Set(), subject: "", target: "", shown: 150 };
const badge = (verdict) => el("span", { class: "badge " + verdict }, verdict);

function sectionsOf(text) {
    const parts = [];
    let last = 0;
    for (const m of text.matchAll(/RFC(\d+) (?:App\.)?([0-9A-Z][0-9.]*)/g)) {
        const place = /^[0-9]/.test(m[2]) ? "section-" : "appendix-";
        parts.push(text.slice(last, m.index), el("a", { href: `https://www.rfc-editor.org/rfc/rfc${m[1]}#${place}${m[2].replace(/\.$/, "")}`, rel: "noreferrer" }, m[0]));
        last = m.index + m[0].length;
    }
    parts.push(text.slice(last));
    return parts;
}

function ruleCard(id, line) {
    const rule = data.rules[id];
    const worst = (line.findings || []).filter((f) => f.rule === id && !f.ignored && f.severity !== "info");
    const failed = line.broke === id || worst.length > 0;
    const mild = failed && worst.every((f) => f.severity === "warn") && line.judged !== "FAIL";
    return el("div", { class: "rule" + (failed ? (mild ? " warned" : " broken") : "") }, el("b", { class: "mono" }, id), " ", rule ? rule.text : "",
        rule ? el("div", { class: "meta" }, `${rule.level} · severity ${rule.severity} · `, sectionsOf(rule.section)) : null);
}

function seenText(line) {
    return (line.seen || []).map((s) => {
        const statuses = (s.status || []).map((c) => (c.startsWith("0x") ? `${c} ${statusName(parseInt(c, 16))}` : c)).join(", ");
        const end = s.end && s.end !== "open" ? `, ${s.end} by ${s.by}` : "";
        return `${s.conn}: ${statuses || "no Login Response"}${s.ffp ? ", full feature phase" : ""}${end}`;
    }).join(" · ");
}

function copyButton(text) {
    return el("button", { type: "button", onclick: (e) => {
        const done = () => { e.target.textContent = "copied"; setTimeout(() => { e.target.textContent = "copy"; }, 1500); };
        if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(done, () => {});
        else { const area = el("textarea", {}, text); document.body.append(area); area.select(); document.execCommand("copy"); area.remove(); done(); }
    } }, "copy");
}

function waiverText(run, line) {
    return (line.waived_by || []).map((i) => run.waivers[i]).filter(Boolean).map((w) =>
        el("div", {}, w.reason, w.link ? [" ", el("a", { href: /^https?:/.test(w.link) ? w.link : null, rel: "noreferrer" }, w.link)] : null, ` (${w.until ? "until " + w.until : "while version is " + w.target_version})`));
}

function caseBody(item) {
    const { run, line, index } = item;
    const row = (name, ...value) => (value.flat().some((v) => v) ? [el("dt", {}, name), el("dd", {}, ...value)] : []);
    const rules = [...new Set([...(line.proves || []), ...(line.findings || []).filter((f) => f.severity !== "info").map((f) => f.rule)])];
    const ladder = data.ladders[index] && data.ladders[index][line.id];
    const evidence = line.evidence && run.evidence !== null ? ["pcap", "text"].filter((k) => line.evidence[k]).map((k) => [el("a", { href: run.evidence + line.evidence[k].split("/").map(encodeURIComponent).join("/") }, k === "text" ? "ladder as text" : k), " "]) : [];
    const command = run.again ? `${run.again} --select ${/^[\w.=+-]+$/.test(line.id) ? line.id : "'" + line.id + "'"}` : "";
    return el("div", { class: "body" },
        el("dl", { class: "pairs" }, row("Differs", line.verdict === "PASS" ? "" : line.reason), row("Expected", line.expected), row("Seen", seenText(line)), row("Known", waiverText(run, line)),
            row("Flaky", line.flaky ? Object.entries(line.flaky).map(([v, n]) => `${v} ${n}×`).join(", ") : ""),
            row("Needs", (line.needs || []).join(", ")), row("Target", several ? run.title : ""), row("Evidence", evidence.flat())),
        command ? el("div", { class: "command" }, el("pre", {}, command), copyButton(command)) : null,
        rules.length ? [el("h3", {}, "Rules"), rules.map((id) => ruleCard(id, line))] : null,
        ladder ? ladderOf(line, ladder) : el("p", { class: "count" }, line.verdict === "SKIP" ? "It did not run, so there is nothing to see." : "Its ladder is not in this page."));
}

function caseRow(item) {
    const { run, line, index } = item;
    const holder = el("div", { class: "case", "data-id": line.id, "data-run": index });
    const button = el("button", { type: "button", "aria-expanded": "false", onclick: () => toggle() },
        badge(line.verdict), el("span", {}, el("span", { class: "id mono" }, line.id), " ", el("span", { class: "title" }, line.title)),
        el("span", { class: several ? "target" : "target time" }, several ? run.name : line.ms ? `${line.ms.toFixed(line.ms < 10 ? 1 : 0)} ms` : ""),
        line.verdict !== "PASS" && line.reason ? el("span", { class: "reason" }, line.reason) : null);
    const toggle = (want) => {
        const body = holder.querySelector(".body");
        if (body && want !== true) body.remove();
        else if (!body) holder.append(caseBody(item));
        button.setAttribute("aria-expanded", String(!!holder.querySelector(".body")));
    };
    holder.open = toggle;
    holder.append(button);
    return holder;
}

function visible() {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    return all.filter((item) => (state.verdicts.size === 0 || state.verdicts.has(item.line.verdict)) && (!state.subject || item.line.subject === state.subject) &&
        (state.target === "" || String(item.index) === state.target) && words.every((w) => item.text.includes(w)));
}

let list, count, search, subjectSelect, targetSelect, verdictChips;

function redraw() {
    const items = visible();
    list.replaceChildren(...items.slice(0, state.shown).map(caseRow));
    if (items.length > state.shown) list.append(el("div", { class: "case" }, el("button", { type: "button", onclick: () => { state.shown += 500; redraw(); } }, el("span", {}), el("span", {}, `show ${items.length - state.shown} more`))));
    count.textContent = items.length === all.length ? `${all.length} cases` : `${items.length} of ${all.length} cases`;
    verdictChips.forEach((chip) => chip.setAttribute("aria-pressed", String(state.verdicts.has(chip.dataset.verdict))));
}

function setFilter(change) {
    Object.assign(state, { shown: 150 }, change);
    search.value = state.text;
    subjectSelect.value = state.subject;
    if (targetSelect) targetSelect.value = state.target;
    redraw();
}

/* To a case, or to what matches; from the tables and from the address. */
function goTo(change, openFirst) {
    setFilter({ text: "", verdicts: new Set(), subject: "", target: "", ...change });
    const first = list.querySelector(".case");
    if (openFirst && first && first.open) first.open(true);
    (first || document.getElementById("cases")).scrollIntoView({ block: "start" });
    if (!openFirst) document.getElementById("cases").scrollIntoView();
}

function goToCase(id, index) {
    goTo({ text: id, target: index === undefined || !several ? "" : String(index) }, false);
    const exact = [...list.querySelectorAll(".case")].find((c) => c.dataset.id === id && (index === undefined || c.dataset.run === String(index)));
    if (exact) { exact.open(true); exact.scrollIntoView({ block: "start" }); }
}
