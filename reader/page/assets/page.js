import { clock, duration, quantileBands, scaled, scatter, stacked, svg, hatches, hatch } from "./plot.js";
import { isText, ms, number, place, rates, saved, seconds, sectionOf, spreads } from "./data.js";

const $ = (id) => document.getElementById(id);
const MOST_KEPT = 3600;
const MOST_MARKS = 500;

const page = {
  sources: [], source: 0, ruleset: null, stack: null, // names that flows are stacked by, null until chosen
  intervals: [], held: null, // the intervals as they were when it was paused
  span: 300, range: null, // a time that was chosen in the plot: {from, to} in ms
  sort: { name: "Octets", up: false }, filter: "", stream: null, missed: 0, status: { state: "starting", text: "" },
};

// el makes an element; text goes in as text.
const el = (name, attributes = {}, ...children) => {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) {
    if (v === true) e.setAttribute(k, "");
    else if (v !== false && v !== null) e.setAttribute(k, v);
  }
  e.append(...children);
  return e;
};

// visible shows what is not seen in a name: control characters and marks that turn the
// direction of writing.
const visible = (text) =>
  String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const unitOf = () => ($("measure").value === "octets" ? "bit/s" : "pkt/s");

const exact = (v) => (typeof v === "number" ? v.toLocaleString("en") : String(v).replace(/\B(?=(\d{3})+$)/g, ","));

// cell writes a value of a column.
const cell = (column, v) => {
  if (v === null || v === undefined) return "-";
  switch (column.kind) {
    case "text": return visible(v);
    case "time": return clock(ms(v));
    case "duration": return duration(Number(v) / 1e9);
    case "bitrate": return scaled(number(v), "bit/s");
    case "packetrate": return scaled(number(v), "pkt/s");
    case "percent": return number(v).toFixed(1) + " %";
    case "octets": case "count": return exact(v);
  }
  return visible(v);
};

// shownIntervals returns those in the time that is shown, and that time in ms.
const shownIntervals = () => {
  const all = page.held ?? page.intervals;
  if (all.length === 0) return { list: [], from: 0, to: 1 };
  const last = ms(all.at(-1).to);
  let { from, to } = page.range ?? { from: page.span ? last - page.span * 1000 : ms(all[0].from), to: last };
  const list = all.filter((i) => ms(i.to) > from && ms(i.from) < to);
  if (!page.range && page.span && list.length > 0) from = Math.max(from, Math.min(ms(list[0].from), last - 10_000));
  return { list, from, to };
};

// ---- the head

const now = (interval) => {
  const list = $("now");
  list.replaceChildren();
  const add = (name, value, bad) => list.append(el("div", { class: bad ? "bad" : "" }, el("dt", {}, name), el("dd", {}, value)));
  if (!interval) return;
  const s = sectionOf(interval, page.ruleset);
  if (s) {
    const length = seconds(interval);
    add("bits", scaled((number(s.total[place(s, "Octets")]) * 8) / length, "bit/s"));
    add("packets", scaled(number(s.total[place(s, "PDUs")]) / length, "pkt/s"));
    add("flows", exact(s.rows.length + s.others.flows));
  }
  const l = interval.loss;
  add("lost", exact(l.lost), number(l.lost) > 0);
  add("uncounted", exact(l.uncounted), number(l.uncounted) > 0);
  if (number(l.unknown) > 0) add("unknown records", exact(l.unknown), true);
  if (number(l.stopped) > 0) add("stopped", exact(l.stopped), true);
  add("until", clock(ms(interval.to)));
};

const state = () => {
  const s = page.status;
  const words = { starting: "waiting for the first interval", running: "", away: "the meter does not answer", restarted: "the meter was restarted", ended: "the source has ended", cut: "the connection is lost; trying again" };
  const parts = [words[s.state] ?? s.state];
  if (s.text) parts.push(visible(s.text));
  if (page.missed) parts.push(`${page.missed} intervals were missed`);
  if (page.held) parts.push("paused: data go on");
  const text = parts.filter(Boolean).join("; ");
  if ($("state").textContent !== text) $("state").textContent = text;
  $("state").className = ["away", "cut", "restarted"].includes(s.state) || page.missed ? "bad" : "";
};

// ---- controls

const options = (select, list, chosen) => {
  const same = select.options.length === list.length && list.every(([v, t], i) => select.options[i].value === v && select.options[i].text === t);
  if (!same) select.replaceChildren(...list.map(([v, t]) => el("option", { value: v }, t)));
  select.value = chosen;
};

const controls = (interval) => {
  const sets = interval.rulesets;
  if (!sets.some((s) => s.number === page.ruleset)) page.ruleset = sets[0]?.number ?? null;
  options($("ruleset"), sets.map((s) => [String(s.number), visible(s.name || `ruleset ${s.number}`)]), String(page.ruleset));
  const s = sectionOf(interval, page.ruleset);
  if (!s || s.rows.length === 0) return;
  const names = saved(s);
  const known = [...$("stack").querySelectorAll("input")].map((i) => i.value);
  const fresh = names.filter((n) => !known.includes(n));
  if (fresh.length === 0 && known.length > 0) return;
  const all = [...known, ...fresh];
  page.stack ??= names.slice(0, 2);
  $("stack").replaceChildren($("stack").querySelector("legend"), ...all.map((n) =>
    el("label", {}, el("input", { type: "checkbox", value: n, checked: page.stack.includes(n) }), " ", visible(n))));
};

// ---- rates

const drawRates = () => {
  const { list, from, to } = shownIntervals();
  const r = rates(list, page.ruleset, page.stack ?? [], $("measure").value, Number($("most").value));
  const unit = unitOf();
  const last = r.columns.at(-1);
  const width = Math.max($("rates").clientWidth || 900, 320);
  const f = stacked({
    width, height: 300, title: `Rates from ${clock(from)} to ${clock(to)}`, unit, from, to, columns: r.columns, bands: r.bands,
    description: last ? `At the end ${scaled(last.rate, unit)}. The table below has the same numbers.` : "There are no intervals yet.",
  });
  brush(f, from, to);
  $("rates").replaceChildren(f.root);
  $("legend").replaceChildren(...r.bands.map((b, i) => {
    const mark = svg("svg", { viewBox: "0 0 20 16", "aria-hidden": "true", class: b.others ? "others" : `c${i % 8}` },
      svg("rect", { class: "fill", width: 20, height: 16 }), svg("rect", { width: 20, height: 16, fill: b.others ? "none" : hatch("rates", i), opacity: 0.55 }));
    return el("li", {}, mark, " ", visible(b.name), " ", el("span", { class: "value" }, last ? scaled(last.values[i], unit) : ""));
  }));
  if (!$("rates-table").parentElement.open) return;
  const head = el("tr", {}, el("th", { scope: "col" }, "until"), ...r.bands.map((b) => el("th", { scope: "col", class: "n" }, visible(b.name))), el("th", { scope: "col", class: "n" }, "all"));
  const factor = $("measure").value === "octets" ? "octets" : "packets";
  const rows = r.columns.slice(-300).reverse().map((c) => el("tr", {}, el("th", { scope: "row" }, clock(c.to)),
    ...c.counted.map((v) => el("td", { class: "n" }, exact(v))), el("td", { class: "n" }, exact(c.total))));
  $("rates-table").replaceChildren(el("table", {}, el("caption", {}, `${factor} counted in each interval`), el("thead", {}, head), el("tbody", {}, ...rows)));
};

// brush lets a time be chosen with the pointer; the controls do the same by keyboard.
const brush = (f, from, to) => {
  const at = (e) => {
    const box = f.root.getBoundingClientRect();
    const x = ((e.clientX - box.left) / box.width) * f.root.viewBox.baseVal.width;
    return from + ((Math.min(Math.max(x, f.box.left), f.box.right) - f.box.left) / (f.box.right - f.box.left)) * (to - from);
  };
  let begin = null;
  const mark = svg("rect", { class: "brush", y: f.box.top, height: f.box.bottom - f.box.top, width: 0 });
  f.root.append(mark);
  f.root.addEventListener("pointerdown", (e) => { begin = at(e); f.root.setPointerCapture(e.pointerId); page.brushing = true; });
  f.root.addEventListener("pointermove", (e) => {
    if (begin === null) return;
    const [a, b] = [begin, at(e)].sort((p, q) => p - q);
    mark.setAttribute("x", f.px(a));
    mark.setAttribute("width", f.px(b) - f.px(a));
  });
  f.root.addEventListener("pointerup", (e) => {
    const [a, b] = [begin, at(e)].sort((p, q) => p - q);
    begin = null;
    page.brushing = false;
    if (b - a > (to - from) / 200) { page.range = { from: a, to: b }; page.held ??= [...page.intervals]; }
    draw();
  });
};

// ---- scatter

const record = (section, row) => {
  $("record").replaceChildren(...section.columns.flatMap((c, i) =>
    row[i] === null ? [] : [el("dt", {}, c.name), el("dd", {}, c.kind === "text" ? visible(row[i]) : c.kind === "time" ? new Date(ms(row[i])).toISOString() : cell(c, row[i]))]));
  $("record-section").hidden = false;
  $("h-record").focus();
};

const drawScatter = (interval, s) => {
  const rows = s ? s.rows.slice(0, MOST_MARKS) : [];
  const column = s ? place(s, $("measure").value === "octets" ? "Octets" : "PDUs") : -1;
  const factor = $("measure").value === "octets" ? 8 : 1;
  const kind = s ? place(s, "FlowKind") : -1;
  const long = s ? place(s, "DurationNs") : -1;
  const names = s ? saved(s).map((n) => place(s, n)) : [];
  const least = interval ? Math.min(seconds(interval), 1) / 1000 : 1e-3;
  const unit = unitOf();
  const points = rows.filter((r) => number(r[column]) > 0).map((row) => {
    const x = Math.max(Number(row[long] ?? 0) / 1e9, least), y = (number(row[column]) * factor) / seconds(interval);
    const label = names.map((p) => (row[p] === null ? "-" : visible(row[p]))).join(" ") + `: ${duration(x)}, ${scaled(y, unit)}`;
    return { x, y, symbol: symbol(kind < 0 ? null : row[kind]), label, open: () => record(s, row) };
  });
  $("scatter-hint").textContent = s
    ? `Each mark is a flow of the interval until ${clock(ms(interval.to))}: across how long it has lasted, up its rate in the interval.` +
      (kind < 0 ? "" : " The symbol is its FlowKind.") + (s.others.flows ? ` ${exact(s.others.flows)} smaller flows have none.` : "")
    : "";
  const width = Math.max($("scatter").clientWidth || 900, 320);
  const focused = document.activeElement?.closest("#scatter .mark")?.getAttribute("aria-label");
  const f = scatter({ width, height: 360, title: "Flows by duration and rate", description: "The table of flows has the same.", points, unit, leastX: least });
  $("scatter").replaceChildren(f.root);
  if (focused) [...f.root.querySelectorAll(".mark")].find((m) => m.getAttribute("aria-label").split(":")[0] === focused.split(":")[0])?.focus();
};

// symbol returns the character that FlowKind is, as nifty's rulesets store it.
const symbol = (v) => {
  if (v === null || v === undefined) return "•";
  const n = Number(v);
  if (Number.isInteger(n)) return n > 32 && n < 127 ? String.fromCharCode(n) : "•";
  return [...String(v)][0] ?? "•";
};

// ---- distributions

const drawSpreads = () => {
  const { list, from, to } = shownIntervals();
  const all = spreads(list, page.ruleset);
  $("spreads-section").hidden = all.length === 0;
  const open = new Set([...$("spreads").querySelectorAll("details[open]")].map((d) => d.dataset.name));
  $("spreads").replaceChildren(...all.map((d) => {
    const label = d.unit === "microseconds" ? (v) => duration(v / 1e6) : (v) => scaled(v, { octets: "B", "bits/s": "bit/s", "PDUs/s": "pkt/s" }[d.unit] ?? "");
    const box = el("div", { class: "plot" });
    const width = Math.max($("spreads").clientWidth || $("rates").clientWidth || 900, 320);
    const f = quantileBands({
      width, height: 220, title: d.attribute, from, to, columns: d.columns, label,
      description: "The line is the median; bands reach from the 25th to the 75th and from the 10th to the 90th of a hundred. They are limits of buckets.",
    });
    box.append(f.root);
    const head = el("tr", {}, ...["until", "n", "p10", "p25", "median", "p75", "p90"].map((t, i) => el("th", { scope: "col", class: i ? "n" : "" }, t)));
    const rows = d.columns.slice(-300).reverse().map((c) => el("tr", {}, el("th", { scope: "row" }, clock(c.to)), el("td", { class: "n" }, exact(c.n)), ...c.q.map((v) => el("td", { class: "n" }, label(v)))));
    const details = el("details", { "data-name": d.attribute, open: open.has(d.attribute) }, el("summary", {}, "The same as a table"),
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${d.attribute} as a table` }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows))));
    return el("div", {}, el("h3", {}, d.attribute), box, details);
  }));
};

// ---- flows

const drawFlows = (interval, s) => {
  if (!s) { $("flows").replaceChildren(); $("flows-hint").textContent = ""; return; }
  const at = Math.max(place(s, page.sort.name), 0);
  const text = isText(s.columns[at]);
  const compare = (a, b) => {
    const [p, q] = [a[at], b[at]];
    if (p === null || q === null) return (q === null) - (p === null) || 0;
    return text ? String(p).localeCompare(String(q), "en", { numeric: true }) : number(p) - number(q);
  };
  let rows = [...s.rows].sort((a, b) => (page.sort.up ? compare(a, b) : compare(b, a)));
  const wanted = page.filter.toLowerCase();
  if (wanted) rows = rows.filter((r) => s.columns.some((c, i) => cell(c, r[i]).toLowerCase().includes(wanted)));
  const all = rows.length;
  rows = rows.slice(0, 100);
  const head = el("tr", {}, ...s.columns.map((c, i) => {
    const sorted = i === at ? (page.sort.up ? "ascending" : "descending") : null;
    const b = el("button", { type: "button", "data-sort": c.name }, visible(c.name), i === at ? (page.sort.up ? " ▲" : " ▼") : "");
    return el("th", { scope: "col", class: isText(c) ? "" : "n", "aria-sort": sorted }, b);
  }));
  const line = (row, kind) => s.columns.map((c, i) => el(kind, { class: isText(c) ? "" : "n" }, cell(c, row[i] ?? null)));
  const body = rows.map((row) => {
    const tr = el("tr", {}, ...line(row, "td"));
    const first = tr.firstElementChild;
    const b = el("button", { type: "button", class: "open" }, first.textContent);
    b.addEventListener("click", () => record(s, row));
    first.replaceChildren(b);
    return tr;
  });
  const foot = [];
  if (s.others.flows) { const tr = el("tr", {}, ...line(s.others.values, "td")); tr.firstElementChild.textContent = `${exact(s.others.flows)} others`; foot.push(tr); }
  const total = el("tr", { id: "flows-total" }, ...line(s.total, "td"));
  total.firstElementChild.textContent = "all";
  foot.push(total);
  $("flows-hint").textContent = `${clock(ms(interval.from))} to ${clock(ms(interval.to))}` + (all > rows.length ? `; ${rows.length} of ${all} rows` : "");
  const focus = document.activeElement?.dataset?.sort;
  const { scrollLeft, scrollTop } = $("flows");
  $("flows").replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...body), el("tfoot", {}, ...foot)));
  Object.assign($("flows"), { scrollLeft, scrollTop });
  if (focus) $("flows").querySelector(`[data-sort="${CSS.escape(focus)}"]`)?.focus();
};

// ---- all of it

let asked = false;
const draw = () => {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    state();
    if (page.brushing) return;
    const { list } = shownIntervals();
    const interval = list.at(-1);
    now((page.intervals ?? []).at(-1));
    $("main").hidden = false;
    if (interval) controls(interval);
    const s = interval && sectionOf(interval, page.ruleset);
    drawRates();
    drawScatter(interval, s);
    drawSpreads();
    drawFlows(interval, s);
    $("whole").hidden = !page.range;
    document.title = interval ? `${visible(interval.meter)} · rtfm` : "rtfm";
  });
};

const connect = () => {
  page.stream?.close();
  page.intervals = [];
  page.held = null;
  page.range = null;
  const stream = new EventSource(`events/${page.source}`);
  page.stream = stream;
  stream.addEventListener("interval", (e) => {
    page.intervals.push(JSON.parse(e.data));
    if (page.intervals.length > MOST_KEPT) page.intervals.shift();
    if (page.status.state === "cut" || page.status.state === "starting") page.status = { state: "running", text: "" };
    if (!page.held) draw();
    else now(page.intervals.at(-1));
  });
  stream.addEventListener("status", (e) => {
    const s = JSON.parse(e.data);
    page.status = s;
    page.missed += s.missed;
    draw();
  });
  stream.addEventListener("error", () => {
    page.status = { state: "cut", text: "" };
    state();
    if (stream.readyState === EventSource.CLOSED) setTimeout(begin, 3000);
  });
};

const pause = (on) => {
  page.held = on ? [...page.intervals] : null;
  if (!on) page.range = null;
  $("pause").setAttribute("aria-pressed", on);
  draw();
};

// begin asks what there is to see, and for the token if it must.
const begin = async () => {
  const given = /token=([0-9a-f]+)/.exec(location.hash)?.[1];
  if (given) {
    history.replaceState(null, "", location.pathname);
    await fetch("session", { method: "POST", body: given });
  }
  let answer;
  try {
    answer = await fetch("sources");
  } catch {
    page.status = { state: "cut", text: "" };
    state();
    setTimeout(begin, 3000);
    return;
  }
  const known = answer.ok;
  $("login").hidden = known;
  $("controls").hidden = !known;
  $("main").hidden = !known;
  if (!known) return;
  page.sources = await answer.json();
  options($("source"), page.sources.map((n, i) => [String(i), visible(n)]), String(page.source));
  $("source").parentElement.hidden = page.sources.length < 2;
  connect();
};

$("login").addEventListener("submit", async (e) => {
  e.preventDefault();
  const answer = await fetch("session", { method: "POST", body: $("token").value.trim() });
  $("refused").textContent = answer.ok ? "" : "This is another token.";
  if (answer.ok) begin();
});
$("controls").addEventListener("submit", (e) => e.preventDefault());
$("source").addEventListener("change", () => { page.source = Number($("source").value); page.ruleset = null; page.stack = null; $("stack").querySelectorAll("label").forEach((l) => l.remove()); connect(); });
$("ruleset").addEventListener("change", () => { page.ruleset = Number($("ruleset").value); page.stack = null; $("stack").querySelectorAll("label").forEach((l) => l.remove()); draw(); });
$("measure").addEventListener("change", draw);
$("most").addEventListener("change", draw);
$("span").addEventListener("change", () => { page.span = Number($("span").value); page.range = null; draw(); });
$("stack").addEventListener("change", () => { page.stack = [...$("stack").querySelectorAll("input:checked")].map((i) => i.value); draw(); });
$("pause").addEventListener("click", () => pause(!page.held));
$("whole").addEventListener("click", () => pause(false));
$("filter").addEventListener("input", () => { page.filter = $("filter").value; draw(); });
$("flows").addEventListener("click", (e) => {
  const name = e.target.closest("[data-sort]")?.dataset.sort;
  if (!name) return;
  page.sort = { name, up: page.sort.name === name ? !page.sort.up : false };
  draw();
});
$("rates-table").parentElement.addEventListener("toggle", draw);
$("record-close").addEventListener("click", () => { $("record-section").hidden = true; });
addEventListener("resize", draw);
begin();
