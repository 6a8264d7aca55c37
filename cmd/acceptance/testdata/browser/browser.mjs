// What tests of the page share: the program, the browser, and what no page may do.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import axe from "axe-core";
import { chromium } from "playwright-core";

export const { RTFM: program, CHROMIUM: executablePath, SAMPLE: sample, FOLDER: folder, PICTURE: picture } = process.env;

let browser;
before(async () => { browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] }); });
after(async () => {
  for (const p of processes) p.kill("SIGKILL");
  await browser?.close();
});

const processes = new Set();

// start starts rtfm and returns the process; what it says of errors is printed.
export const start = (args, options = {}) => {
  const p = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], ...options });
  processes.add(p);
  p.on("exit", () => processes.delete(p));
  p.stderr.on("data", (b) => process.stdout.write(`# ${b}`));
  return p;
};

// line returns the first line that matches.
export const line = async (stream, wanted) => {
  for await (const text of createInterface({ input: stream })) if (wanted.test(text)) return text;
  throw new Error(`no line ${wanted}`);
};

// output returns the lines of JSON that rtfm prints.
export const output = async (...args) => {
  const all = [];
  for await (const text of createInterface({ input: start(args).stdout })) all.push(JSON.parse(text));
  return all;
};

// view starts `rtfm view` and returns the address of its page, with the token.
export const view = async (args, options) => {
  const p = start(["view", "--listen", "127.0.0.1:0", ...args], options);
  return { address: await line(p.stdout, /^http/), process: p };
};

// freeAddress returns a UDP address of loopback at which nobody answers.
export const freeAddress = () =>
  new Promise((done) => {
    const s = createSocket("udp4").bind(0, "127.0.0.1", () => { const { port } = s.address(); s.close(() => done(`127.0.0.1:${port}`)); });
  });

// open opens a page at an address. What no page may do is found by its close: errors,
// what its policy forbids, requests to others. With stream set the server's events are
// those that the test sends.
export const open = async (address, { scheme = "light", width = 1280, height = 900, stream, motion } = {}) => {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: motion, timezoneId: "UTC", locale: "en" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong = [];
  page.allowed = [];
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) wrong.push(`console: ${m.text()}`); });
  page.on("pageerror", (e) => wrong.push(`error: ${e.stack}`));
  page.on("dialog", (d) => { wrong.push(`dialog: ${d.message()}`); d.dismiss(); });
  const origin = new URL(address).origin;
  page.on("request", (r) => { if (!r.url().startsWith(`${origin}/`) && !r.url().startsWith("data:") && !r.url().startsWith(`blob:${origin}/`)) wrong.push(`request: ${r.url()}`); });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  if (stream) {
    await page.addInitScript(`(${fakeStreams})(); globalThis.interval = ${interval};`);
  }
  await page.goto(address);
  page.end = async () => {
    await context.close();
    assert.deepEqual(wrong.filter((w) => !page.allowed.some((a) => a.test(w))), []);
  };
  return page;
};

// accessible asserts that axe finds nothing wrong with the page as it is.
export const accessible = async (page, what) => {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)}: ${v.nodes[0].failureSummary}`), [], what);
};

// table returns the cells of a table as text, without the commas of numbers.
export const table = (page, selector) =>
  page.$$eval(`${selector} tr`, (rows) => rows.map((r) => [...r.children].map((c) => c.textContent.replace(/(?<=\d),(?=\d{3})/g, ""))));

// interval makes one as `rtfm top --json` prints them, of n flows of one packet of 100
// octets, up to a second since 1970.
export const interval = (to, n, more = {}) => {
  const ns = (s) => `${BigInt(Math.round(s * 1e3))}000000`;
  const text = ["SourcePeerAddress", "DestPeerAddress", "FlowKind"].map((name) => ({ name, kind: "text" }));
  const columns = [...text, { name: "ToPDUs", kind: "count" }, { name: "PDUs", kind: "count" }, { name: "Octets", kind: "octets" },
    { name: "FirstTimeNs", kind: "time" }, { name: "LastActiveTimeNs", kind: "time" }, { name: "DurationNs", kind: "duration" }];
  const address = (i) => more.names?.[i] ?? `10.0.${i >> 8}.${i & 255}`;
  const rows = Array.from({ length: n }, (_, i) => [address(i), "192.0.2.1", 84, 1, 1, 100, ns(1795252000), ns(to), "10000000000"]);
  const zero = [null, null, null, 0, 0, 0, null, null, null];
  return {
    schema: 1, meter: "gw1", boot: "1", from: ns(to - 1), to: ns(to), first: false, skipped: 0,
    loss: { lost: 0, uncounted: 0, ignored: 0, unmatched: 0, stopped: 0, unknown: 0, ...more.loss },
    rulesets: [{ number: 2, name: more.ruleset ?? "flows", columns, rows, others: { flows: 0, values: zero }, total: [null, null, null, n, n, 100 * n, ns(to - 10), ns(to), null], packets: { seen: n, counted: n } }],
    distributions: [], ...more.interval,
  };
};

// fakeStreams, in the page, has tests send the events of the server.
const fakeStreams = () => {
  globalThis.streams = [];
  globalThis.EventSource = class extends EventTarget {
    static CLOSED = 2;
    readyState = 1;
    last = 0;
    constructor(url) { super(); this.url = url; streams.push(this); }
    close() { this.readyState = 2; }
    interval(i, id = ++this.last) { this.dispatchEvent(new MessageEvent("interval", { data: JSON.stringify(i), lastEventId: String(id) })); }
    status(s) { this.dispatchEvent(new MessageEvent("status", { data: JSON.stringify(s) })); }
  };
};
