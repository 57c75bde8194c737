// A headless Chromium over the DevTools pipe: enough to load a page, run expressions in it, and see its errors.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Browser {
    static async start() {
        const browser = new Browser();
        const profile = mkdtempSync(join(tmpdir(), "iscsispec-chromium-"));
        const child = spawn("chromium", ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
            "--disable-extensions", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
        browser.child = child;
        browser.profile = profile;
        browser.waiting = new Map();
        browser.next = 1;
        browser.errors = [];
        browser.requests = [];
        browser.ended = new Promise((resolve) => child.on("exit", resolve));
        child.on("exit", () => browser.waiting.forEach(({ reject }) => reject(new Error("chromium ended"))));
        let rest = "";
        child.stdio[4].on("data", (chunk) => {
            const parts = (rest + chunk).split("\0");
            rest = parts.pop();
            parts.forEach((text) => browser.take(JSON.parse(text)));
        });
        const targets = await browser.send("Target.getTargets");
        const page = targets.targetInfos.find((t) => t.type === "page");
        browser.session = (await browser.send("Target.attachToTarget", { targetId: page.targetId, flatten: true })).sessionId;
        for (const domain of ["Page", "Runtime", "Log", "Network"]) await browser.send(domain + ".enable");
        return browser;
    }

    take(message) {
        const call = this.waiting.get(message.id);
        if (call) {
            this.waiting.delete(message.id);
            if (message.error) call.reject(new Error(message.error.message));
            else call.resolve(message.result);
            return;
        }
        const p = message.params;
        if (message.method === "Runtime.exceptionThrown") this.errors.push(p.exceptionDetails.exception?.description ?? p.exceptionDetails.text);
        if (message.method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(p.type)) this.errors.push(p.args.map((a) => a.value).join(" "));
        if (message.method === "Log.entryAdded" && p.entry.level === "error") this.errors.push(p.entry.text);
        if (message.method === "Network.requestWillBeSent") this.requests.push(p.request.url);
        if (message.method === "Page.loadEventFired") this.loaded?.();
    }

    send(method, params = {}) {
        const id = this.next++;
        this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId: this.session }) + "\0");
        return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    }

    async load(url) {
        const done = new Promise((resolve) => { this.loaded = resolve; });
        await this.send("Page.navigate", { url: "about:blank" });
        await done;
        const again = new Promise((resolve) => { this.loaded = resolve; });
        await this.send("Page.navigate", { url });
        await again;
    }

    async run(expression) {
        const result = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
        if (result.exceptionDetails) throw new Error(result.exceptionDetails.exception?.description ?? result.exceptionDetails.text);
        return result.result.value;
    }

    async look(width, height, dark) {
        await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
        await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
    }

    async shot(path) {
        const { data } = await this.send("Page.captureScreenshot", { format: "png" });
        writeFileSync(path, Buffer.from(data, "base64"));
    }

    async end() {
        await Promise.race([this.send("Browser.close").catch(() => {}), new Promise((r) => setTimeout(r, 2000))]);
        await Promise.race([this.ended, new Promise((r) => setTimeout(r, 2000))]);
        this.child.kill("SIGKILL");
        rmSync(this.profile, { recursive: true, force: true, maxRetries: 3 });
    }
}
