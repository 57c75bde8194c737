// What a person does with the HTML page, in Chromium: html.mjs REPORT.html MATRIX.html FAILING-CASE RULE ODD.html [SHOTS-DIR]
import { Browser } from "./browser.mjs";

const [report, matrix, failing, rule, odd, shots] = process.argv.slice(2);
const browser = await Browser.start();
let failures = 0;

function check(what, good, told) {
    if (good) return;
    failures++;
    console.log(`FAIL: ${what}${told === undefined ? "" : `: ${JSON.stringify(told)}`}`);
}

async function same(what, expression, due) {
    const told = await browser.run(expression);
    check(what, JSON.stringify(told) === JSON.stringify(due), told);
}

const click = (selector) => browser.run(`document.querySelector(${JSON.stringify(selector)}).click()`);
const type = (text) => browser.run(`{ const s = document.getElementById("search"); s.value = ${JSON.stringify(text)}; s.dispatchEvent(new Event("input")); }`);
const badges = `[...new Set([...document.querySelectorAll(".case > button .badge")].map((b) => b.textContent))]`;
const rows = `document.querySelectorAll(".case[data-id]").length`;

async function looks(name) {
    for (const [width, height, dark] of [[1280, 1200, false], [1280, 1200, true], [360, 800, false], [360, 800, true]]) {
        await browser.look(width, height, dark);
        const wide = await browser.run("document.documentElement.scrollWidth");
        check(`${name}: ${width} px wide, no sideways scrolling`, wide <= width, wide);
        if (shots) await browser.shot(`${shots}/${name}-${width}-${dark ? "dark" : "light"}.png`);
    }
    const dark = await browser.run("getComputedStyle(document.body).backgroundColor");
    await browser.look(1280, 1200, false);
    check(`${name}: light and dark differ`, dark !== await browser.run("getComputedStyle(document.body).backgroundColor"));
}

async function tryReport() {
    await browser.load("file://" + report);
    await looks("report");
    const total = await browser.run("all.length");
    check("cases are there", total > 10, total);
    await same("18 codes", `document.querySelectorAll("#main table tbody tr:not(.group)").length >= 18`, true);

    await click(`.filter .chip[data-verdict="FAIL"]`);
    await same("the FAIL chip leaves FAIL only", badges, ["FAIL"]);
    await same("and says that it is on", `document.querySelector('.chip[data-verdict="FAIL"]').getAttribute("aria-pressed")`, "true");
    await click("#clear");
    await same("clear brings all back", `document.querySelector(".count").textContent`, `${total} cases`);

    await type(failing);
    await same("the search finds one case", rows, 1);
    await click(".case > button");
    await same("its ladder has both sides", `[".pdu.out", ".pdu.in"].map((s) => document.querySelectorAll(s).length > 0)`, [true, true]);
    await same("offending bytes are marked in hex", `document.querySelectorAll(".pdu.bad .hex mark").length > 0`, true);
    await same("its finding says what was and what is allowed", `document.querySelector(".pdu.bad .found").textContent.includes("allowed: ")`, true);
    await same("the rule stands there with its section", `[...document.querySelectorAll(".rule.broken a")].some((a) => a.href.startsWith("https://www.rfc-editor.org/rfc/rfc7143#section-"))`, true);
    await same("the command leads to it", `document.querySelector(".command pre").textContent.endsWith("--select ${failing}")`, true);
    await same("fields are decoded", `[...document.querySelectorAll(".pdu.bad dt")].some((d) => d.textContent === "TSIH")`, true);
    await looks("case");
    await click(".case > button");
    await same("a second click closes it", `document.querySelectorAll(".body").length`, 0);

    await type(rule.toLowerCase());
    await same("the search knows rules", `${rows} >= 1`, true);
    await type("no such case anywhere");
    await same("what is not there is not shown", rows, 0);
    await browser.run(`location.hash = "#case=${failing}"`);
    await browser.run(`new Promise((r) => setTimeout(r, 100))`);
    await same("an address leads to a case", `document.querySelector(".case .body") !== null && document.querySelector(".case").dataset.id`, failing);
    await click("td.yes button.link");
    await same("a code leads to the case that shows it", `document.querySelectorAll(".case .body").length`, 1);
}

async function tryMatrix() {
    await browser.load("file://" + matrix);
    await looks("matrix");
    await same("a column for each target", `document.querySelectorAll("#main table thead")[0].querySelectorAll("th").length`, 2 + await browser.run("data.runs.length"));
    await browser.run(`{ const s = document.getElementById("target"); s.value = "1"; s.dispatchEvent(new Event("change")); }`);
    await same("the target filter leaves one target", `[...new Set([...document.querySelectorAll(".case[data-id]")].map((c) => c.dataset.run))]`, ["1"]);
}

async function tryOdd() {
    await browser.load("file://" + odd);
    await browser.run(`document.querySelectorAll(".case > button").forEach((b) => b.click())`);
    await same("odd results are drawn", `document.querySelectorAll(".case .body").length`, 2);
}

try {
    await tryReport();
    await tryMatrix();
    await tryOdd();
    await same("nothing that a peer sent became a part of the page", "window.intruder === undefined && document.querySelector('.intruder') === null", true);
    check("no console error", browser.errors.length === 0, browser.errors);
    const away = browser.requests.filter((url) => !/^(file|data|about):/.test(url));
    check("no network", away.length === 0, away);
} catch (error) {
    check("the page answers", false, String(error));
}
await browser.end();
console.log(failures === 0 ? "all passed" : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
