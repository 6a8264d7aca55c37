// Plots as SVG. Whatever text goes in goes in as text.

import { clock, duration, scaled } from "./text.js";

const NS = "http://www.w3.org/2000/svg";

export const svg = (name, attributes = {}, ...children) => {
  const e = document.createElementNS(NS, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
};

// ticks returns round numbers from 0 to max, about n of them.
export const ticks = (max, n = 5) => {
  if (!(max > 0)) return [0, 1];
  const raw = max / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const all = [];
  for (let i = 0; (i - 1) * step < max; i++) all.push(i * step);
  return all;
};

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

// timeTicks returns round times of day between two times in ms.
export const timeTicks = (from, to, n = 6) => {
  const seconds = Math.max((to - from) / 1000, 1);
  const step = (STEPS.find((s) => seconds / s <= n) ?? 86400 * Math.ceil(seconds / 86400 / n)) * 1000;
  const zone = new Date(from).getTimezoneOffset() * 60000;
  const all = [];
  for (let t = Math.ceil((from - zone) / step) * step + zone; t <= to; t += step) all.push(t);
  return all;
};

// timeAxis is one of local times.
const timeAxis = (from, to, width) => {
  const day = (t) => { const d = new Date(t); return `${d.getMonth() + 1}/${d.getDate()} ${clock(t, false)}`; };
  const label = to - from > 86400e3 ? day : (t) => clock(t, to - from < 3600e3);
  return { min: from, max: to, ticks: timeTicks(from, to, Math.max(2, Math.floor(width / 130))), label };
};

// MOST_LABEL is how wide the label of a tick gets.
const MOST_LABEL = 64;

// frame makes the SVG of a plot with its axes, and the functions that place values.
// x and y are {min, max, ticks, label(value)}, log or not.
export const frame = ({ width, height, title, description, x, y }) => {
  const box = { left: 76, top: 8, right: width - 12, bottom: height - 26 };
  const place = (a, from, to) => {
    const f = a.log ? Math.log10 : (v) => v;
    const span = f(a.max) - f(a.min) || 1;
    return (v) => from + ((f(v) - f(a.min)) / span) * (to - from);
  };
  const px = place(x, box.left, box.right);
  const py = place(y, box.bottom, box.top);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": title });
  root.append(svg("title", {}, title), svg("desc", {}, description));
  for (const t of y.ticks) {
    root.append(svg("line", { class: "grid", x1: box.left, x2: box.right, y1: py(t), y2: py(t) }));
    root.append(svg("text", { x: box.left - 6, y: py(t) + 4, "text-anchor": "end" }, y.label(t)));
  }
  let free = -Infinity; // of labels
  for (const t of x.ticks) {
    root.append(svg("line", { class: "grid", x1: px(t), x2: px(t), y1: box.top, y2: box.bottom }));
    if (px(t) < free) continue;
    free = px(t) + MOST_LABEL;
    root.append(svg("text", { x: px(t), y: height - 8, "text-anchor": "middle" }, x.label(t)));
  }
  root.append(svg("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }));
  return { root, px, py, box };
};

// Hatches tell bands apart without colours: a band has the one with its number.
const HATCHES = [
  null, "M0 8L8 0", "M0 0L8 8", "M0 4H8", "M4 0V8", "M0 8L8 0M0 0L8 8", "M0 4H8M4 0V8", "M2 4H6",
];

// hatches returns the patterns for a plot whose names begin with a prefix.
export const hatches = (prefix) => {
  const defs = svg("defs");
  HATCHES.forEach((path, i) => {
    if (!path) return;
    const p = svg("pattern", { id: `${prefix}${i}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" });
    p.append(svg("path", { class: "hatch", d: path }));
    defs.append(p);
  });
  return defs;
};

export const hatch = (prefix, i) => (HATCHES[i % HATCHES.length] ? `url(#${prefix}${i % HATCHES.length})` : "none");

// stacked draws bars of values above each other: columns are {from, to, values, loss}
// with a value for each band. Where something was lost there is a mark below the bar.
// Bars of less than half the usual length, such as what came before the first full
// second, do not stretch the axis: they are cut off at its end.
export const stacked = ({ width, height, title, description, columns, bands, from, to, unit, prefix }) => {
  const sum = (c) => c.values.reduce((a, v) => a + v, 0);
  const lengths = columns.map((c) => c.to - c.from).sort((a, b) => a - b);
  const usual = lengths[lengths.length >> 1];
  const yTicks = ticks(Math.max(...columns.filter((c) => c.to - c.from >= usual / 2).map(sum), 0));
  const f = frame({
    width, height, title, description,
    x: timeAxis(from, to, width),
    y: { min: 0, max: yTicks.at(-1), ticks: yTicks, label: (v) => scaled(v, unit) },
  });
  f.root.append(hatches(prefix));
  const lows = columns.map(() => 0);
  bands.forEach((band, b) => {
    let d = "";
    columns.forEach((c, i) => {
      const low = lows[i];
      lows[i] += c.values[b];
      if (!(c.values[b] > 0)) return;
      const x0 = f.px(Math.max(c.from, from)), x1 = f.px(Math.min(c.to, to));
      const [y0, y1] = [low, lows[i]].map((v) => f.py(Math.min(v, yTicks.at(-1))).toFixed(1));
      d += `M${x0.toFixed(1)} ${y0}V${y1}H${x1.toFixed(1)}V${y0}Z`;
    });
    if (!d) return;
    const class_ = band.others ? "others" : `c${b % 8}`;
    f.root.append(svg("g", { class: class_ }, svg("path", { class: "fill", d })));
    if (!band.others && hatch(prefix, b) !== "none") f.root.append(svg("path", { d, fill: hatch(prefix, b), opacity: 0.55 }));
  });
  for (const c of columns) {
    if (!c.loss) continue;
    const x = f.px((Math.max(c.from, from) + Math.min(c.to, to)) / 2), y = f.box.bottom;
    const mark = svg("path", { class: "loss", d: `M${x.toFixed(1)} ${y - 9}l5 9h-10Z`, role: "img", "aria-label": `${clock(c.to)}: ${c.loss}` });
    mark.append(svg("title", {}, c.loss));
    f.root.append(mark);
  }
  return f;
};

// decades returns the powers of ten that values lie between.
export const decades = (values, least) => {
  const ok = values.filter((v) => v > 0 && Number.isFinite(v));
  if (ok.length === 0) return [least, 10 * least];
  const low = Math.floor(Math.log10(Math.max(ok.reduce((a, v) => Math.min(a, v)), least)));
  const high = Math.ceil(Math.log10(ok.reduce((a, v) => Math.max(a, v))));
  const all = [];
  for (let p = low; p <= Math.max(high, low + 1); p++) all.push(10 ** p);
  return all;
};

// scatter draws a symbol for each point {x, y, symbol, flow, label, open()}, on axes of
// powers of ten.
export const scatter = ({ width, height, title, description, points, unit, leastX }) => {
  const xs = decades(points.map((p) => p.x), leastX), ys = decades(points.map((p) => p.y), 1);
  const f = frame({
    width, height, title, description,
    x: { log: true, min: xs[0], max: xs.at(-1), ticks: xs, label: (t) => (t < 1 ? duration(t) : `${t} s`) },
    y: { log: true, min: ys[0], max: ys.at(-1), ticks: ys, label: (v) => scaled(v, unit) },
  });
  points.forEach((p, i) => {
    const mark = svg("text", {
      class: "mark", x: f.px(Math.max(p.x, xs[0])).toFixed(1), y: (f.py(Math.max(p.y, ys[0])) + 5).toFixed(1),
      "text-anchor": "middle", role: "button", tabindex: i === 0 ? 0 : -1, "aria-label": p.label, "data-flow": p.flow,
    }, p.symbol);
    mark.append(svg("title", {}, p.label));
    mark.addEventListener("click", p.open);
    mark.addEventListener("keydown", (e) => {
      const all = [...f.root.querySelectorAll(".mark")];
      const at = all.indexOf(mark);
      const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
      if (e.key === "Enter" || e.key === " ") p.open();
      else if (to !== undefined && all[to]) {
        mark.setAttribute("tabindex", -1);
        all[to].setAttribute("tabindex", 0);
        all[to].focus();
      } else return;
      e.preventDefault();
    });
    f.root.append(mark);
  });
  return f;
};

// lines draws values over time as steps: columns are {from, to, values}.
export const lines = ({ width, height, title, description, columns, from, to }) => {
  const yTicks = ticks(columns.reduce((a, c) => Math.max(a, ...c.values), 0));
  const f = frame({
    width, height, title, description,
    x: timeAxis(from, to, width),
    y: { min: 0, max: yTicks.at(-1), ticks: yTicks, label: (v) => scaled(v) },
  });
  for (const n of columns[0]?.values.keys() ?? []) {
    const d = columns.map((c, i) => `${i > 0 && columns[i - 1].to === c.from ? "L" : "M"}${f.px(Math.max(c.from, from)).toFixed(1)} ${f.py(c.values[n]).toFixed(1)}H${f.px(Math.min(c.to, to)).toFixed(1)}`).join("");
    f.root.append(svg("path", { class: n === 0 ? "median" : "median dashed", d }));
  }
  return f;
};

// bands draws quantiles over time: columns are {from, to, q: [p10, p25, p50, p75, p90]}.
export const quantileBands = ({ width, height, title, description, columns, from, to, label }) => {
  const yTicks = decades(columns.flatMap((c) => c.q.map((v) => v * 0.99)).concat(columns.flatMap((c) => c.q)), 1);
  const f = frame({
    width, height, title, description,
    x: timeAxis(from, to, width),
    y: { log: true, min: yTicks[0], max: yTicks.at(-1), ticks: yTicks, label },
  });
  const y = (v) => f.py(Math.max(v, yTicks[0])).toFixed(1);
  for (const [low, high, name] of [[0, 4, "band"], [1, 3, "band inner"]]) {
    const d = columns.map((c) => `M${f.px(c.from).toFixed(1)} ${y(c.q[low])}V${y(c.q[high])}H${f.px(c.to).toFixed(1)}V${y(c.q[low])}Z`).join("");
    f.root.append(svg("path", { class: name, d }));
  }
  f.root.append(svg("path", { class: "median", d: columns.map((c) => `M${f.px(c.from).toFixed(1)} ${y(c.q[2])}H${f.px(c.to).toFixed(1)}`).join("") }));
  return f;
};
