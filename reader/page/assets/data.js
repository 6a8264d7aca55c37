// What the intervals come to: rates by attributes, quantiles, rows. No page here.

const WORDS = new Set(["text"]);
const COUNTED = new Set([
  "ToPDUs", "FromPDUs", "PDUs", "ToOctets", "FromOctets", "Octets", "BitRate", "Percent",
  "FirstTimeNs", "LastActiveTimeNs", "DurationNs", "FlowIndex", "FlowRuleSet", "Records",
]);

// number makes a number of what JSON has, which are strings of digits above 2^53.
export const number = (v) => (v === null || v === undefined ? 0 : Number(v));

// ms returns a time in ms of one in ns.
export const ms = (ns) => Number(BigInt(ns) / 1000n) / 1000;

// seconds returns the length of an interval.
export const seconds = (i) => Math.max(Number(BigInt(i.to) - BigInt(i.from)) / 1e9, 1e-9);

export const sectionOf = (interval, ruleset) => interval.rulesets.find((s) => s.number === ruleset);

export const place = (section, name) => section.columns.findIndex((c) => c.name === name);

// saved returns the names of what flows were saved by.
export const saved = (section) =>
  section.columns.map((c) => c.name).filter((n) => !COUNTED.has(n) && !/(?:Count|P50|P90|Mean|N|Sd)$/.test(n));

// keyOf returns by what a row is stacked.
const keyOf = (section, places, row) => places.map((p) => (p < 0 || row[p] === null ? "-" : String(row[p]))).join(" ");

// rates returns what counted most in the intervals: names of the bands, "others" last,
// and for each interval its values a second. Their sum is exactly that of the interval.
export const rates = (intervals, ruleset, names, measure, most) => {
  const column = measure === "octets" ? "Octets" : "PDUs";
  const factor = measure === "octets" ? 8 : 1;
  const sums = new Map();
  const columns = [];
  for (const i of intervals) {
    const s = sectionOf(i, ruleset);
    const values = new Map();
    let total = 0;
    if (s) {
      const places = names.map((n) => place(s, n));
      const at = place(s, column);
      total = number(s.total[at]);
      for (const row of s.rows) {
        const key = keyOf(s, places, row);
        values.set(key, (values.get(key) ?? 0) + number(row[at]));
      }
      for (const [key, v] of values) sums.set(key, (sums.get(key) ?? 0) + v);
    }
    columns.push({ from: ms(i.from), to: ms(i.to), length: seconds(i), values, total });
  }
  const bands = [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, most).map(([key]) => key);
  for (const c of columns) {
    const shown = bands.map((key) => c.values.get(key) ?? 0);
    const others = Math.max(c.total - shown.reduce((a, v) => a + v, 0), 0);
    c.counted = [...shown, others];
    c.values = c.counted.map((v) => (v * factor) / c.length);
    c.rate = (c.total * factor) / c.length;
  }
  return { bands: [...bands.map((name) => ({ name })), { name: "others", others: true }], columns };
};

// quantile returns the limit of the bucket that a part of the values does not exceed;
// of those above all limits the last one.
const quantile = (limits, counters, all, part) => {
  let sum = 0;
  for (let i = 0; i < limits.length; i++) {
    sum += number(counters[i]);
    if (sum >= part * all) return number(limits[i]);
  }
  return number(limits.at(-1));
};

// spreads returns for each distribution of a ruleset its quantiles over time.
export const spreads = (intervals, ruleset) => {
  const all = new Map();
  for (const i of intervals) {
    for (const d of i.distributions) {
      if (d.ruleset !== ruleset) continue;
      const n = d.counters.reduce((a, c) => a + number(c), 0);
      if (!n) continue;
      const key = d.attribute;
      if (!all.has(key)) all.set(key, { attribute: d.attribute, unit: d.unit, columns: [] });
      const q = [0.1, 0.25, 0.5, 0.75, 0.9].map((part) => quantile(d.limits, d.counters, n, part));
      all.get(key).columns.push({ from: ms(i.from), to: ms(i.to), n, q });
    }
  }
  return [...all.values()];
};

// shown writes a cell for people; format makes numbers short.
export const isText = (column) => WORDS.has(column.kind);
