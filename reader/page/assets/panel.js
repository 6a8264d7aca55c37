// A panel: what the page shows of one meter.

import { bars, barLength, isText, Kept, PARTS, place, rates, saved, section, sectionOf, seconds, seriesOf, shownOrder, spreads, whole, work } from "./data.js";
import { cell, clock, duration, el, exact, local, ms, ns, number, scaled, visible } from "./text.js";
import { below } from "./session.js";
import { hatch, lines, quantileBands, scatter, stacked, svg } from "./plot.js";

const MOST_MARKS = 500;
const MOST_LINES = 300; // of a table

const WORDS = {
  starting: "waiting for the first interval", running: "", away: "the meter does not answer",
  restarted: "the meter was restarted", ended: "the source has ended", cut: "the connection is lost; trying again",
};

let panels = 0;

// Panel is what is shown of one meter. Look is what all panels share: measure, most,
// span and length in seconds, range {from, to} in ms if a time was chosen, paused.
export class Panel {
  kept = new Kept();
  held = null; // the intervals as they were when it was paused
  status = { state: "starting", text: "" };
  missed = 0;
  ruleset = null;
  stack = null; // names that flows are stacked by, null until chosen
  sort = { name: "Octets", up: false };
  filter = "";
  #last = 0; // the number of the latest interval
  #stream = null;
  #retry = null;
  #parts = new Map();
  #opener = null; // what the record was opened by

  constructor(number, name, look, changed) {
    Object.assign(this, { number, name, look, changed, prefix: `p${panels++}` });
    this.root = document.getElementById("panel").content.cloneNode(true).firstElementChild;
    for (const e of this.root.querySelectorAll("[data-part]")) this.#parts.set(e.dataset.part, e);
    const part = (n) => this.part(n);
    part("name").textContent = visible(name);
    this.root.setAttribute("aria-label", visible(name));
    for (const [of, label] of [["rates-table", "rates as a table"], ["flows", "flows as a table"], ["series-table", "flows in use as a table"], ["legend", "bands of the plot"], ["now", "the latest interval"]]) {
      part(of).setAttribute("aria-label", `${visible(name)}: ${label}`);
    }
    part("choice").addEventListener("submit", (e) => e.preventDefault());
    part("ruleset").addEventListener("change", () => {
      this.ruleset = Number(part("ruleset").value);
      this.stack = null;
      part("stack").querySelectorAll("label").forEach((l) => l.remove());
      changed();
    });
    part("stack").addEventListener("change", () => { this.stack = [...part("stack").querySelectorAll("input:checked")].map((i) => i.value); changed(); });
    part("filter").addEventListener("input", () => { this.filter = part("filter").value; changed(); });
    part("flows").addEventListener("click", (e) => {
      const by = e.target.closest("[data-sort]")?.dataset.sort;
      if (!by) return;
      this.sort = { name: by, up: this.sort.name === by ? !this.sort.up : false };
      changed();
    });
    part("rates-details").addEventListener("toggle", changed);
    part("series-details").addEventListener("toggle", changed);
    part("record-close").addEventListener("click", () => this.#closeRecord());
    this.root.addEventListener("keydown", (e) => { if (e.key === "Escape" && !part("record-section").hidden) this.#closeRecord(); });
  }

  part(name) { return this.#parts.get(name); }

  // connect has the server send what there is and what comes. Refused is called if it
  // does not know the viewer.
  connect(refused) {
    this.close();
    Object.assign(this, { kept: new Kept(), missed: 0 });
    this.#last = 0;
    const stream = new EventSource(below(`events/${this.number}`));
    this.#stream = stream;
    stream.addEventListener("interval", (e) => {
      const id = Number(e.lastEventId.split("-").at(-1)); // behind that of the server's run
      if (id <= this.#last) return; // it is counted already
      this.#last = id;
      this.kept.push(JSON.parse(e.data));
      if (this.status.state === "cut" || this.status.state === "starting") this.status = { state: "running", text: "" };
      this.changed(true);
    });
    stream.addEventListener("status", (e) => {
      this.status = JSON.parse(e.data);
      this.missed += this.status.missed;
      this.changed();
    });
    stream.addEventListener("error", async () => {
      this.status = { state: "cut", text: "" };
      this.changed();
      if (stream.readyState !== EventSource.CLOSED) return; // it asks again by itself
      this.#retry = setTimeout(() => this.connect(refused), 3000);
      const asked = new AbortController();
      try {
        const answer = await fetch(below(`events/${this.number}`), { signal: asked.signal });
        if (answer.status === 401) { this.close(); refused(); }
        else if (!answer.ok) this.status.text = (await answer.text()).trim();
      } catch { /* nobody answers */ }
      asked.abort();
      this.changed();
    });
  }

  close() {
    this.#stream?.close();
    clearTimeout(this.#retry);
  }

  pause(on) { this.held = on ? [...this.kept.list] : null; }

  // time returns the time that is shown, in ms, and the intervals in it.
  time() {
    const all = this.held ?? this.kept.list;
    if (all.length === 0) return { list: [], from: 0, to: 1 };
    const { range, span } = this.look;
    const last = ms(all.at(-1).to);
    let { from, to } = range ?? { from: span ? last - span * 1000 : ms(all[0].from), to: last };
    const list = all.filter((i) => ms(i.to) > from && ms(i.from) < to);
    if (!range && span && list.length > 0) from = Math.max(from, Math.min(ms(list[0].from), last - 10_000));
    return { list, from, to: Math.max(to, from + 1) };
  }

  // draw draws all of it.
  draw() {
    const { list, from, to } = this.time();
    const latest = this.kept.list.at(-1);
    const full = (i) => i.rulesets.some((s) => s.rows.length > 0 && (this.ruleset === null || s.number === this.ruleset));
    this.#controls(list.findLast(full) ?? list.at(-1) ?? latest);
    this.#state();
    this.#now(latest);
    const length = this.look.length ?? barLength(list);
    const all = bars(list, length);
    this.#rates(all, from, to);
    // The latest bar that has flows, or all of them where no more come.
    let bar = all.findLast((b) => b.list.some((i) => sectionOf(i, this.ruleset)?.rows.length > 0)) ?? all.at(-1);
    const latestBar = bar === all.at(-1);
    if (list.length > 0 && this.#isWhole) bar = whole(list);
    const s = bar ? section(bar, this.ruleset) : null;
    this.#series(list, from, to);
    this.#scatter(bar, s, latestBar || bar.whole);
    this.#spreads(all, from, to);
    this.#flows(bar, s);
    Object.assign(this.root.dataset, { intervals: this.kept.list.length, rows: this.kept.rows, visited: work.visited });
    if (latest) this.part("name").textContent = visible(latest.meter === this.name ? this.name : `${this.name} (${latest.meter})`);
  }

  // #isWhole reports whether flows of all the time are shown.
  get #isWhole() { return this.look.flows ? this.look.flows === "time" : this.status.state === "ended" || this.look.range !== null; }

  #state() {
    const s = this.status;
    const parts = [WORDS[s.state] ?? visible(s.state)];
    if (s.text) parts.push(visible(s.text));
    if (this.missed) parts.push(`${this.missed} intervals were missed`);
    const text = parts.filter(Boolean).join("; ");
    const e = this.part("state");
    if (e.textContent !== text) e.textContent = text;
    e.classList.toggle("bad", ["away", "cut", "restarted"].includes(s.state) || this.missed > 0 || (s.text !== "" && s.state !== "starting"));
  }

  #now(interval) {
    const list = this.part("now");
    list.replaceChildren();
    if (!interval) return;
    const add = (name, value, bad) => list.append(el("div", { class: bad ? "bad" : "" }, el("dt", {}, name), el("dd", {}, value)));
    const gone = ["away", "cut"].includes(this.status.state); // what it counts now is not known
    const s = sectionOf(interval, this.ruleset);
    const length = seconds(interval);
    const rate = (name, times, unit) => (gone || !length ? "-" : scaled((number(s.total[place(s, name)]) * times) / length, unit));
    if (s) {
      add("bits", rate("Octets", 8, "bit/s"));
      add("packets", rate("PDUs", 1, "pkt/s"));
      add("flows", gone ? "-" : exact(s.rows.length + s.others.flows));
    }
    const l = interval.loss;
    add("lost", exact(l.lost), number(l.lost) > 0);
    add("uncounted", exact(l.uncounted), number(l.uncounted) > 0);
    if (number(l.unknown) > 0) add("unknown records", exact(l.unknown), true);
    if (number(l.stopped) > 0) add("stopped", exact(l.stopped), true);
    add(gone ? "known until" : "until", clock(ms(interval.to)), gone);
  }

  #controls(interval) {
    if (!interval) return;
    const sets = interval.rulesets;
    if (!sets.some((s) => s.number === this.ruleset)) this.ruleset = sets[0]?.number ?? null;
    const select = this.part("ruleset");
    const list = sets.map((s) => [String(s.number), visible(s.name || `ruleset ${s.number}`)]);
    const same = select.options.length === list.length && list.every(([v, t], i) => select.options[i].value === v && select.options[i].text === t);
    if (!same) select.replaceChildren(...list.map(([v, t]) => el("option", { value: v }, t)));
    select.value = String(this.ruleset);
    const s = sectionOf(interval, this.ruleset);
    if (!s || s.rows.length === 0) return;
    const names = saved(s);
    const stack = this.part("stack");
    const known = [...stack.querySelectorAll("input")].map((i) => i.value);
    const fresh = names.filter((n) => !known.includes(n));
    if (fresh.length === 0 && known.length > 0) return;
    // The type of an address tells nothing that the address does not.
    this.stack ??= names.filter((n) => !names.includes(n.replace(/Type$/, "Address")) || n.endsWith("Address")).slice(0, 2);
    stack.replaceChildren(stack.querySelector("legend"), ...[...known, ...fresh].map((n) =>
      el("label", {}, el("input", { type: "checkbox", value: n, checked: this.stack.includes(n) }), " ", visible(n))));
  }

  get #unit() { return this.look.measure === "octets" ? "bit/s" : "pkt/s"; }
  #width(name) { return Math.max(this.part(name).clientWidth || this.root.clientWidth, 240); }

  #rates(all, from, to) {
    const { measure, most } = this.look;
    const unit = this.#unit;
    const r = rates(all, this.ruleset, this.stack ?? [], measure, most);
    const last = r.columns.at(-1);
    const f = stacked({
      width: this.#width("rates"), height: 300, title: `Rates from ${clock(from)} to ${clock(to)}`, unit, from, to, columns: r.columns, bands: r.bands, prefix: this.prefix,
      description: last ? `At the end ${scaled(last.rate, unit)}. The table below has the same numbers.` : "There are no intervals.",
    });
    this.#brush(f, from, to);
    this.part("rates").replaceChildren(f.root);
    const time = r.columns.reduce((a, c) => a + c.bar.seconds, 0);
    const shown = (i) => (this.#isWhole ? r.columns.reduce((a, c) => a + c.values[i] * c.bar.seconds, 0) / time : last.values[i]);
    this.part("legend").replaceChildren(...r.bands.map((b, i) => {
      const mark = svg("svg", { viewBox: "0 0 20 16", "aria-hidden": "true", class: b.others ? "others" : `c${i % 8}` },
        svg("rect", { class: "fill", width: 20, height: 16 }), svg("rect", { width: 20, height: 16, fill: b.others ? "none" : hatch(this.prefix, i), opacity: 0.55 }));
      return el("li", {}, mark, " ", visible(b.name), " ", el("span", { class: "value" }, last ? scaled(shown(i), unit) : ""));
    }));
    const loss = r.columns.filter((c) => c.loss).length;
    const longest = all.reduce((a, b) => Math.max(a, b.list.length), 0);
    this.part("rates-hint").textContent = (!last ? "" : this.#isWhole ? "Numbers are means of the time shown." : `Numbers are those of the last bar, until ${clock(last.to)}.`) +
      (longest > 1 ? ` A bar is up to ${longest} intervals.` : "") + (loss ? ` In ${loss} bars, marked below, something was lost: see the table.` : "");
    if (this.part("rates-details").open) this.#ratesTable(r);
  }

  #ratesTable(r) {
    const n = { scope: "col", class: "n" };
    const head = el("tr", {}, el("th", { scope: "col" }, "until"), ...r.bands.map((b) => el("th", n, visible(b.name))), el("th", n, "all"), el("th", { scope: "col" }, "loss"));
    const rows = r.columns.slice(-MOST_LINES).reverse().map((c) => el("tr", {}, el("th", { scope: "row" }, clock(c.to)),
      ...c.counted.map((v) => el("td", { class: "n" }, exact(v))), el("td", { class: "n" }, exact(c.total)), el("td", {}, c.loss || "none")));
    const what = this.look.measure === "octets" ? "octets" : "packets";
    const caption = `${what} counted in each bar` + (r.columns.length > MOST_LINES ? `, the latest ${MOST_LINES} of ${r.columns.length}` : "");
    this.#replaceTable("rates-table", el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...rows)));
  }

  // #series draws how many flows there were, where the meter tells it.
  #series(list, from, to) {
    const all = seriesOf(list, this.ruleset).filter((c) => c.to > from && c.from < to);
    this.part("series-section").hidden = all.length === 0;
    if (all.length === 0) return;
    const last = all.at(-1);
    this.part("series").replaceChildren(lines({
      width: this.#width("rates"), height: 180, title: "Flows in use", from, to, columns: all.map((c) => ({ ...c, values: [c.active, c.fresh] })),
      description: `At the end ${exact(last.active)} flows had packets, ${exact(last.fresh)} of them new. The table below has the same numbers.`,
    }).root);
    if (!this.part("series-details").open) return;
    const names = ["until", "packets", "active flows", "new flows", "flows in the table", "lost"];
    const head = el("tr", {}, ...names.map((t, i) => el("th", { scope: "col", class: i ? "n" : "" }, t)));
    const rows = all.slice(-MOST_LINES).reverse().map((c) => el("tr", {}, el("th", { scope: "row" }, clock(c.to)),
      ...[c.pdus, c.active, c.fresh, c.flows, c.lost].map((v) => el("td", { class: "n" }, exact(v)))));
    this.#replaceTable("series-table", el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
  }

  // #replaceTable has a new table where the old one was scrolled to.
  #replaceTable(name, table) {
    const box = this.part(name);
    const { scrollLeft, scrollTop } = box;
    box.replaceChildren(table);
    Object.assign(box, { scrollLeft, scrollTop });
  }

  // #brush lets a time be chosen with the pointer; the fields for it do the same.
  #brush(f, from, to) {
    const at = (e) => {
      const box = f.root.getBoundingClientRect();
      const x = ((e.clientX - box.left) / box.width) * f.root.viewBox.baseVal.width;
      return from + ((Math.min(Math.max(x, f.box.left), f.box.right) - f.box.left) / (f.box.right - f.box.left)) * (to - from);
    };
    let begin = null;
    const mark = svg("rect", { class: "brush", y: f.box.top, height: f.box.bottom - f.box.top, width: 0 });
    f.root.append(mark);
    f.root.addEventListener("pointerdown", (e) => { begin = at(e); f.root.setPointerCapture(e.pointerId); });
    f.root.addEventListener("pointermove", (e) => {
      if (begin === null) return;
      const [a, b] = [begin, at(e)].sort((p, q) => p - q);
      mark.setAttribute("x", f.px(a));
      mark.setAttribute("width", f.px(b) - f.px(a));
    });
    const end = (e) => {
      if (begin === null) return;
      const [a, b] = [begin, at(e)].sort((p, q) => p - q);
      begin = null;
      if (e.type === "pointerup" && b - a > (to - from) / 200) this.look.range = { from: a, to: b };
      this.changed();
    };
    f.root.addEventListener("pointerup", end);
    f.root.addEventListener("pointercancel", end);
  }

  // #record shows all that is known of a flow.
  #record(s, row, opener, bar) {
    this.#opener = opener;
    this.#packets(s, row, bar);
    const text = (c, v) => (c.kind === "time" && v !== null ? new Date(ms(v)).toISOString() : cell(c, v));
    this.part("record").replaceChildren(...s.columns.flatMap((c, i) => (row[i] === null ? [] : [el("dt", {}, visible(c.name)), el("dd", {}, text(c, row[i]))])));
    this.part("record-section").hidden = false;
    this.part("record-name").focus();
  }

  // #packets offers the packets of a flow, where there is a store: those that it has
  // counted in the time of a bar, and all.
  #packets(s, row, bar) {
    const flow = Object.fromEntries(s.columns.map((c, i) => [c.name, row[i]]).filter(([, v]) => v !== null && v !== undefined));
    const { ToPDUs, FromPDUs, ...all } = flow;
    const offer = (text, of) => {
      const b = el("button", { type: "button" }, text);
      b.addEventListener("click", () => this.#download(of));
      return b;
    };
    const began = ms(flow.FirstTimeNs ?? 0) < bar.from;
    const part = this.part("record-packets");
    part.hidden = !this.look.packets;
    this.part("record-verdict").textContent = "";
    part.replaceChildren(offer(`Packets since ${clock(bar.from)}`, { ...flow, IntervalStartNs: ns(bar.from) }), ...(began ? [" ", offer("All packets", all)] : []));
  }

  // #download gets packets and has the browser keep them, and tells whether they are all.
  async #download(flow) {
    const tell = (text) => { this.part("record-verdict").textContent = text; };
    tell("looking for packets");
    try {
      const answer = await fetch(below(`packets?row=${encodeURIComponent(JSON.stringify(flow))}`));
      if (!answer.ok) { tell((await answer.text()).trim()); return; }
      const url = URL.createObjectURL(await answer.blob());
      el("a", { href: url, download: "flow.pcapng" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      tell(answer.headers.get("Rtfm-Verdict") ?? "");
    } catch { tell("the connection is lost"); }
  }

  #closeRecord() {
    this.part("record-section").hidden = true;
    const to = this.#opener && this.root.querySelector(`[data-flow="${CSS.escape(this.#opener)}"]`);
    (to ?? this.part("flows")).focus();
  }

  #scatter(bar, s, latest) {
    const octets = this.look.measure === "octets";
    const column = s ? place(s, octets ? "Octets" : "PDUs") : -1;
    const kind = s ? place(s, "FlowKind") : -1;
    const long = s ? place(s, "DurationNs") : -1;
    const names = s ? saved(s).map((n) => place(s, n)) : [];
    const least = bar?.seconds > 0 ? Math.min(bar.seconds, 1) / 1000 : 1e-3;
    const unit = this.#unit;
    const rows = s ? s.rows.filter((r) => number(r[column]) > 0).slice(0, MOST_MARKS) : [];
    const points = !bar?.seconds ? [] : rows.map((row) => {
      const x = Math.max(Number(row[long] ?? 0) / 1e9, least), y = (number(row[column]) * (octets ? 8 : 1)) / bar.seconds;
      const name = names.map((p) => (row[p] === null ? "-" : visible(row[p]))).join(" ");
      const flow = `mark ${name}`;
      return { x, y, flow, symbol: symbol(kind < 0 ? null : row[kind]), label: `${name}: ${duration(x)}, ${scaled(y, unit)}`, open: () => this.#record(s, row, flow, bar) };
    });
    this.part("scatter-hint").textContent = !s ? "" :
      (latest ? "" : `There were no flows since ${clock(bar.to)}. `) +
      `Each mark is a flow ${bar.whole ? `from ${clock(bar.from)}` : "of the bar"} until ${clock(bar.to)}: across how long it has lasted, up its rate in that time.` +
      (kind < 0 ? "" : " The symbol is its FlowKind.") + (s.others.flows ? ` ${s.others.atLeast ? "Smaller flows have" : `${exact(s.others.flows)} smaller flows have`} none.` : "");
    const focused = document.activeElement?.closest(".mark") && this.root.contains(document.activeElement) ? document.activeElement.dataset.flow : null;
    const f = scatter({ width: this.#width("scatter"), height: 360, title: "Flows by duration and rate", description: "The table of flows has the same.", points, unit, leastX: least });
    this.part("scatter").replaceChildren(f.root);
    if (focused) this.root.querySelector(`.mark[data-flow="${CSS.escape(focused)}"]`)?.focus();
  }

  #spreads(bars, from, to) {
    const all = spreads(bars, this.ruleset);
    const box = this.part("spreads");
    this.part("spreads-section").hidden = all.length === 0;
    const open = new Set([...box.querySelectorAll("details[open]")].map((d) => d.dataset.name));
    const focused = document.activeElement?.closest("details[data-name]")?.dataset.name;
    box.replaceChildren(...all.map((d) => {
      const label = d.unit === "microseconds" ? (v) => duration(v / 1e6) : (v) => scaled(v, { octets: "B", "bits/s": "bit/s", "PDUs/s": "pkt/s" }[d.unit] ?? "");
      const f = quantileBands({
        width: this.#width("rates"), height: 220, title: visible(d.attribute), from, to, columns: d.columns, label,
        description: "The line is the median; bands reach from the 25th to the 75th and from the 10th to the 90th of a hundred. They are limits of buckets.",
      });
      const head = el("tr", {}, ...["until", "n", ...PARTS.map((p) => (p === 0.5 ? "median" : `p${100 * p}`))].map((t, i) => el("th", { scope: "col", class: i ? "n" : "" }, t)));
      const rows = d.columns.slice(-MOST_LINES).reverse().map((c) => el("tr", {}, el("th", { scope: "row" }, clock(c.to)), el("td", { class: "n" }, exact(c.n)),
        ...c.q.map((v, i) => el("td", { class: "n" }, (c.more[i] ? "more than " : "") + label(v)))));
      const details = el("details", { "data-name": d.key, open: open.has(d.key) }, el("summary", {}, "The same as a table"),
        el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${visible(this.name)}: ${visible(d.attribute)} as a table` },
          el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows))));
      const hint = el("p", { class: "hint" }, "Median, and between which half and four fifths of the values are: limits of buckets.");
      return el("div", {}, el("h4", {}, visible(d.attribute)), hint, el("div", { class: "plot" }, f.root), details);
    }));
    if (focused) box.querySelector(`details[data-name="${CSS.escape(focused)}"] summary`)?.focus();
  }

  #flows(bar, s) {
    if (!s) { this.part("flows").replaceChildren(); this.part("flows-hint").textContent = ""; return; }
    const at = Math.max(place(s, this.sort.name), 0);
    const text = isText(s.columns[at]);
    const compare = (a, b) => {
      const [p, q] = [a[at], b[at]];
      if (p === null || q === null) return (q === null) - (p === null);
      return text ? String(p).localeCompare(String(q), "en", { numeric: true }) : number(p) - number(q);
    };
    let rows = [...s.rows].sort((a, b) => (this.sort.up ? compare(a, b) : compare(b, a)));
    const wanted = this.filter.toLowerCase();
    if (wanted) rows = rows.filter((r) => s.columns.some((c, i) => cell(c, r[i]).toLowerCase().includes(wanted)));
    const found = rows.length;
    rows = rows.slice(0, 100);
    const order = shownOrder(s);
    const head = el("tr", {}, ...order.map((i) => {
      const c = s.columns[i];
      const sorted = i === at ? (this.sort.up ? "ascending" : "descending") : null;
      const b = el("button", { type: "button", "data-sort": c.name }, visible(c.name), i === at ? (this.sort.up ? " ▲" : " ▼") : "");
      return el("th", { scope: "col", class: isText(c) ? "" : "n", "aria-sort": sorted }, b);
    }));
    const line = (row, nothing = "-") => order.map((i) => el("td", { class: isText(s.columns[i]) ? "" : "n" }, (row[i] ?? null) === null ? nothing : cell(s.columns[i], row[i])));
    const names = saved(s).map((n) => place(s, n));
    const body = rows.map((row) => {
      const tr = el("tr", {}, ...line(row));
      const first = tr.firstElementChild;
      const flow = `row ${names.map((p) => row[p]).join(" ")}`;
      const b = el("button", { type: "button", class: "open", "data-flow": flow, "aria-label": `${first.textContent}: all of this flow` }, first.textContent);
      b.addEventListener("click", () => this.#record(s, row, flow, bar));
      first.replaceChildren(b);
      return tr;
    });
    const foot = (name, values) => { const tr = el("tr", {}, ...line(values, "")); tr.firstElementChild.textContent = name; return tr; };
    const feet = [foot("all", s.total)];
    if (s.others.flows) feet.unshift(foot(s.others.atLeast ? "others" : `${exact(s.others.flows)} others`, s.others.values));
    this.part("flows-hint").textContent = `${local(bar.from).replace("T", " ")} to ${clock(bar.to)}` + (found > rows.length ? `; ${rows.length} of ${found} rows` : "");
    const { sort, flow } = this.part("flows").contains(document.activeElement) ? document.activeElement.dataset : {};
    this.#replaceTable("flows", el("table", {}, el("thead", {}, head), el("tbody", {}, ...body), el("tfoot", {}, ...feet)));
    if (sort) this.part("flows").querySelector(`[data-sort="${CSS.escape(sort)}"]`)?.focus();
    if (flow) this.part("flows").querySelector(`[data-flow="${CSS.escape(flow)}"]`)?.focus({ preventScroll: true });
  }
}

// symbol returns the character that FlowKind is, as nifty's rulesets store it.
const symbol = (v) => {
  if (v === null || v === undefined) return "●";
  const n = Number(v);
  if (Number.isInteger(n)) return n > 32 && n < 127 ? String.fromCharCode(n) : "●";
  return visible([...String(v)][0] ?? "●");
};
