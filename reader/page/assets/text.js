// How values are written for people, and elements made of them.

// number makes a number of what JSON has, which are strings of digits above 2^53.
export const number = (v) => (v === null || v === undefined ? 0 : Number(v));

// ms returns a time in ms of one in ns.
export const ms = (ns) => Number(BigInt(ns) / 1000n) / 1000;

// ns returns a time in ns, as digits, of one in ms.
export const ns = (t) => String(BigInt(Math.floor(t * 1000)) * 1000n);

// el makes an element; text goes in as text.
export const el = (name, attributes = {}, ...children) => {
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
export const visible = (text) =>
  String(text).replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const PREFIXES = ["", "k", "M", "G", "T", "P", "E"];

// scaled writes a number with three digits and a decimal prefix.
export const scaled = (n, unit = "") => {
  if (!Number.isFinite(n)) return "-";
  let p = 0;
  let v = Math.abs(n);
  while (v >= 999.5 && p < PREFIXES.length - 1) { v /= 1000; p++; }
  const digits = p === 0 && Number.isInteger(n) ? 0 : v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
  const text = (n < 0 ? "-" : "") + v.toFixed(digits);
  const after = PREFIXES[p] + unit;
  return after ? `${text} ${after}` : text;
};

// duration writes seconds.
export const duration = (s) => {
  if (s === 0) return "0 s";
  if (s < 1e-3) return scaled(s * 1e6) + " µs";
  if (s < 1) return scaled(s * 1e3) + " ms";
  if (s < 120) return Number(s.toFixed(s < 10 ? 2 : 1)) + " s";
  if (s < 7200) return Math.round(s / 60) + " min";
  return Math.round(s / 3600) + " h";
};

const two = (n) => String(n).padStart(2, "0");

// clock writes the local time of day.
export const clock = (t, withSeconds = true) => {
  const d = new Date(t);
  return `${two(d.getHours())}:${two(d.getMinutes())}` + (withSeconds ? `:${two(d.getSeconds())}` : "");
};

// local writes a local time as fields for times have it.
export const local = (t) => {
  const d = new Date(t);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${clock(t)}`;
};

// exact writes all digits of a number, in groups of three.
export const exact = (v) => {
  if (v === null || v === undefined) return "-";
  if (typeof v === "number") return v.toLocaleString("en", { maximumFractionDigits: 3 });
  return /^\d+$/.test(v) ? v.replace(/\B(?=(\d{3})+$)/g, ",") : visible(v);
};

// cell writes a value of a column. What is no number, as ">1500" of a quantile above all
// limits, is shown as it is.
export const cell = (column, v) => {
  if (v === null || v === undefined) return "-";
  if (column.kind === "text" || !Number.isFinite(Number(v))) return visible(v);
  switch (column.kind) {
    case "time": return clock(ms(v));
    case "duration": return duration(Number(v) / 1e9);
    case "bitrate": return scaled(number(v), "bit/s");
    case "packetrate": return scaled(number(v), "pkt/s");
    case "percent": return number(v).toFixed(1) + " %";
  }
  return exact(v);
};
