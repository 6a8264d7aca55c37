// What is kept of a meter's intervals, and what they come to: rates by attributes,
// quantiles, sums of several. No page here.

import { ms, number } from "./text.js";

// What is kept: an hour of seconds. Beyond so many rows the oldest intervals keep few of
// them, and the sums of the others.
export const MOST_INTERVALS = 3600;
export const MOST_ROWS = 200_000;
const FOLDED = 20;
// MOST_BARS is how many bars a plot has unless their length was chosen.
const MOST_BARS = 300;

// Columns that can be added up, which the others of a table have too.
const SUMS = new Set(["ToPDUs", "FromPDUs", "PDUs", "ToOctets", "FromOctets", "Octets", "BitRate", "Percent"]);

export const place = (section, name) => section.columns.findIndex((c) => c.name === name);
export const sectionOf = (interval, ruleset) => interval.rulesets.find((s) => s.number === ruleset);
export const isText = (column) => column.kind === "text";

// saved returns the names of what flows were saved by.
export const saved = (section) => section.columns.filter(isText).map((c) => c.name);

// seconds returns the length of an interval, 0 if the clock stepped back in it.
export const seconds = (i) => Math.max(Number(BigInt(i.to) - BigInt(i.from)) / 1e9, 0);

// plus and minus are exact for counters, which are strings above 2^53.
const exactly = (a, b, f) => {
  const n = f(Number(a), Number(b));
  if (Math.abs(n) <= Number.MAX_SAFE_INTEGER || !/^\d+$/.test(a) || !/^\d+$/.test(b)) return n;
  return String(f(BigInt(a), BigInt(b)));
};
export const plus = (a, b) => exactly(a ?? 0, b ?? 0, (p, q) => p + q);
export const minus = (a, b) => exactly(a ?? 0, b ?? 0, (p, q) => p - q);

// fold keeps the largest rows of a section and adds up the rest.
const fold = (s) => {
  if (s.rows.length <= FOLDED) return s;
  const at = place(s, "Octets");
  const rows = [...s.rows].sort((a, b) => number(b[at]) - number(a[at]));
  const rest = rows.splice(FOLDED);
  const values = s.columns.map((c, i) => (SUMS.has(c.name) ? rest.reduce((a, r) => plus(a, r[i]), s.others.values[i]) : s.others.values[i]));
  return { ...s, rows, others: { flows: s.others.flows + rest.length, values } };
};

const rowsOf = (i) => i.rulesets.reduce((a, s) => a + s.rows.length, 0);

// Kept are the latest intervals of a meter, within bounds.
export class Kept {
  list = [];
  rows = 0;
  #whole = 0; // the first one that has all its rows
  #names = new Map(); // of the latest columns, by ruleset
  // #columns names those of a section. One without flows has fewer, and tells of no change.
  #columns(s) {
    if (s.rows.length > 0) this.#names.set(s.number, s.columns.map((c) => c.name).join());
    return this.#names.get(s.number);
  }
  push(i) {
    i.shape = JSON.stringify([i.boot, ...i.rulesets.map((s) => [s.number, s.name, this.#columns(s)])]);
    this.list.push(i);
    this.rows += rowsOf(i);
    if (this.list.length > MOST_INTERVALS) {
      this.rows -= rowsOf(this.list.shift());
      this.#whole = Math.max(this.#whole - 1, 0);
    }
    for (; this.rows > MOST_ROWS && this.#whole < this.list.length - 1; this.#whole++) {
      const old = this.list[this.#whole];
      const folded = { ...old, rulesets: old.rulesets.map(fold) }; // who holds the old one keeps it
      this.rows += rowsOf(folded) - rowsOf(old);
      this.list[this.#whole] = folded;
    }
  }
}

// LENGTHS are those of bars, in seconds, that can be chosen.
export const LENGTHS = [1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400];

// barLength returns how long the bars of so much time are if none was chosen: 0 for the
// intervals as they are.
export const barLength = (list) => {
  if (list.length <= MOST_BARS) return 0;
  const all = (ms(list.at(-1).to) - ms(list[0].from)) / 1000;
  return LENGTHS.find((l) => all / l <= MOST_BARS) ?? LENGTHS.at(-1);
};

// bars puts the intervals together that end within the same length of time, in seconds:
// those of one run of the meter, with the same rulesets, and a clock that runs forward.
export const bars = (list, length) => {
  const all = [];
  let end = null, before = null;
  for (const i of list) {
    const to = length ? Math.ceil(ms(i.to) / (length * 1000)) : null;
    if (length && to === end && i.shape === before.shape && ms(i.from) >= ms(before.from)) all.at(-1).list.push(i);
    else all.push({ list: [i] });
    [end, before] = [to, i];
  }
  for (const b of all) {
    b.from = ms(b.list[0].from);
    b.to = ms(b.list.at(-1).to);
    b.seconds = b.list.reduce((a, i) => a + seconds(i), 0); // less the time between them
  }
  return all;
};

// What bars come to is kept until they change: visited counts the rows that were looked at.
export const work = { visited: 0 };
const known = new WeakMap();
const once = (bar, key, make) => {
  let of = known.get(bar.list[0]);
  if (!of) known.set(bar.list[0], (of = new Map()));
  const kind = key.split("\n", 1)[0];
  const have = of.get(kind);
  if (have && have.key === key && have.n === bar.list.length && have.last === bar.list.at(-1)) return have.value;
  const value = make();
  of.set(kind, { key, n: bar.list.length, last: bar.list.at(-1), value });
  return value;
};

// counted returns by names' values what a bar has counted, and all of it.
const counted = (bar, ruleset, names, column) =>
  once(bar, ["rates", ruleset, column, ...names].join("\n"), () => {
    const values = new Map();
    let total = 0;
    for (const i of bar.list) {
      const s = sectionOf(i, ruleset);
      if (!s) continue;
      const places = names.map((n) => place(s, n));
      const at = place(s, column);
      total = plus(total, s.total[at]);
      work.visited += s.rows.length;
      for (const row of s.rows) {
        const key = places.map((p) => (p < 0 || row[p] === null ? "-" : String(row[p]))).join(" ");
        values.set(key, plus(values.get(key), row[at]));
      }
    }
    return { values, total };
  });

// lossOf returns what is to be told of a bar's loss, "" if nothing.
export const lossOf = (bar) => {
  const parts = [];
  const tell = (n, text) => { if (number(n) > 0) parts.push(`${n} ${text}`); };
  const sum = (name) => bar.list.reduce((a, i) => plus(a, i.loss[name]), 0);
  tell(sum("lost"), "packets lost");
  tell(sum("uncounted"), "uncounted");
  tell(sum("stopped"), "stopped");
  tell(sum("unknown"), "records unknown");
  tell(bar.list.reduce((a, i) => a + i.skipped, 0), "collections skipped");
  return parts.join(", ");
};

// rates returns what counted most in the bars: names of the bands, "others" last, and
// for each bar what was counted and that a second. The bands add up to exactly the total.
export const rates = (all, ruleset, names, measure, most) => {
  const column = measure === "octets" ? "Octets" : "PDUs";
  const factor = measure === "octets" ? 8 : 1;
  const sums = new Map();
  const of = all.map((b) => counted(b, ruleset, names, column));
  for (const { values } of of) for (const [key, v] of values) sums.set(key, (sums.get(key) ?? 0) + number(v));
  const bands = [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, most).map(([key]) => key);
  const columns = all.map((bar, i) => {
    const shown = bands.map((key) => of[i].values.get(key) ?? 0);
    const others = shown.reduce((a, v) => minus(a, v), of[i].total);
    const values = [...shown, others];
    const rate = (v) => (bar.seconds > 0 ? (number(v) * factor) / bar.seconds : 0);
    return { bar, from: bar.from, to: bar.to, counted: values, total: of[i].total, values: values.map(rate), rate: rate(of[i].total), loss: lossOf(bar) };
  });
  return { bands: [...bands.map((name) => ({ name })), { name: "others", others: true }], columns };
};

// merge puts the rows of the same flow together: what can be added up is, and of what
// cannot there is nothing if there are several.
const merge = (columns, rows) => {
  const n = rows.length;
  return columns.map((c, i) => {
    const values = rows.map((r) => r[i]);
    if (n === 1 || isText(c) || c.name === "FirstTimeNs") return values[0];
    if (SUMS.has(c.name)) return values.reduce(plus, 0);
    return c.name === "LastActiveTimeNs" || c.name === "DurationNs" ? values[n - 1] : null;
  });
};

// whole returns all intervals as one bar: those of the last one's run and rulesets.
export const whole = (list) => {
  const same = list.filter((i) => i.shape === list.at(-1).shape);
  return { list: same, from: ms(same[0].from), to: ms(same.at(-1).to), seconds: same.reduce((a, i) => a + seconds(i), 0), whole: true };
};

// section returns the rows of a ruleset in a bar, as if it were one interval.
export const section = (bar, ruleset) => {
  const sections = bar.list.map((i) => sectionOf(i, ruleset)).filter((s) => s);
  const all = sections.filter((s) => s.rows.length > 0); // without flows there is nothing to add
  const last = all.at(-1) ?? sections.at(-1);
  if (!last) return null;
  if (bar.list.length === 1 || all.length === 0) return last;
  return once(bar, `${bar.whole ? "whole" : "section"}\n${ruleset}`, () => {
    const columns = last.columns;
    const identity = columns.map((c, i) => (isText(c) || c.name === "FirstTimeNs" ? i : -1)).filter((i) => i >= 0);
    const flows = new Map();
    for (const s of all) {
      work.visited += s.rows.length;
      for (const row of s.rows) {
        const key = JSON.stringify(identity.map((i) => row[i]));
        if (flows.has(key)) flows.get(key).push(row);
        else flows.set(key, [row]);
      }
    }
    const total = merge(columns, all.map((s) => s.total));
    const [rate, percent, octets] = ["BitRate", "Percent", "Octets"].map((n) => columns.findIndex((c) => c.name === n));
    const finish = (row) => {
      if (rate >= 0) row[rate] = bar.seconds > 0 ? (number(row[octets]) * 8) / bar.seconds : null;
      if (percent >= 0) row[percent] = number(total[octets]) ? (100 * number(row[octets])) / number(total[octets]) : null;
      return row;
    };
    return {
      ...last, total: finish(total), rows: [...flows.values()].map((rows) => finish(merge(columns, rows))),
      others: { flows: all.reduce((a, s) => Math.max(a, s.others.flows), 0), atLeast: all.length > 1, values: finish(merge(columns, all.map((s) => s.others.values))) },
    };
  });
};

const FIRST = ["Octets", "ToOctets", "FromOctets", "BitRate", "PDUs", "ToPDUs", "FromPDUs"];

// shownOrder returns the places of columns in the order in which people read them: what
// flows were saved by, without the type of an address that stands there, what they
// counted most importantly, and the rest.
export const shownOrder = (s) => {
  const names = s.columns.map((c) => c.name);
  const by = saved(s).filter((n) => !(n === "SourcePeerType" && names.includes("SourcePeerAddress")));
  const first = [...by, ...FIRST.filter((n) => names.includes(n))];
  const rest = names.filter((n) => !first.includes(n) && n !== "SourcePeerType");
  return [...first, ...rest].map((n) => names.indexOf(n));
};

// seriesOf returns what the meter's series has of a ruleset, and of all interfaces
// together.
export const seriesOf = (intervals, ruleset) => {
  const all = [];
  for (const i of intervals) {
    for (const s of i.series ?? []) {
      const row = s.rows.find((r) => r.ruleset === ruleset);
      if (!row) continue;
      const lost = s.rows.reduce((a, r) => a + number(r.lost), 0);
      all.push({ from: ms(s.from), to: ms(s.to), active: number(row.active), fresh: number(row.new), flows: number(row.flows), pdus: number(row.pdus), lost });
    }
  }
  return all;
};

// quantile returns the limit of the bucket that a part of the values does not exceed;
// of those above all limits the last one, and that it is more.
const quantile = (limits, counters, all, part) => {
  let sum = 0;
  for (let i = 0; i < limits.length; i++) {
    sum += counters[i];
    if (sum >= part * all) return { value: number(limits[i]) };
  }
  return { value: number(limits.at(-1)), more: true };
};

export const PARTS = [0.1, 0.25, 0.5, 0.75, 0.9];

// spreads returns for each distribution of a ruleset its quantiles in each bar.
export const spreads = (all, ruleset) => {
  const found = new Map();
  for (const bar of all) {
    const of = once(bar, `spreads\n${ruleset}`, () => {
      const sums = new Map();
      for (const i of bar.list) {
        for (const d of i.distributions) {
          if (d.ruleset !== ruleset) continue;
          const key = `${d.attribute} ${d.limits}`; // of other limits it is another
          const sum = sums.get(key);
          if (sum) d.counters.forEach((c, k) => { sum.counters[k] += number(c); });
          else sums.set(key, { ...d, counters: d.counters.map(number) });
        }
      }
      return sums;
    });
    for (const [key, d] of of) {
      const n = d.counters.reduce((a, c) => a + c, 0);
      if (!n) continue;
      if (!found.has(key)) found.set(key, { key, attribute: d.attribute, unit: d.unit, columns: [] });
      const q = PARTS.map((part) => quantile(d.limits, d.counters, n, part));
      found.get(key).columns.push({ from: bar.from, to: bar.to, n, q: q.map((v) => v.value), more: q.map((v) => v.more) });
    }
  }
  return [...found.values()];
};
