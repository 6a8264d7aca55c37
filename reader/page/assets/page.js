// The page: who views, which meters, and what all of their panels share.

import { LENGTHS } from "./data.js";
import { Panel } from "./panel.js";
import { below, login } from "./session.js";
import { duration, el, local, visible } from "./text.js";

const $ = (id) => document.getElementById(id);
// MOST_PANELS is how many meters are shown at a time: browsers have six connections.
const MOST_PANELS = 4;
// Drawing waits after data this long at least, in ms, and longer for those who want
// little to move.
const PAUSE = 250, CALM = 5000;

const look = { measure: "octets", most: 8, span: 300, length: null, flows: "", range: null, paused: false, packets: false };
const panels = new Map(); // by the number of their source
let sources = [];

// ---- drawing

const still = matchMedia("(prefers-reduced-motion: reduce)");
let asked = false, pressed = false, drawn = -Infinity, took = 0, waiting = null;

const draw = () => {
  if (asked) return;
  asked = true;
  clearTimeout(waiting);
  waiting = null;
  requestAnimationFrame(() => {
    asked = false;
    if (pressed) return; // what is pressed must still be there when it is let go
    const begin = performance.now();
    for (const p of panels.values()) p.draw();
    $("whole").hidden = !look.range;
    $("state").textContent = look.paused ? "paused: data go on" : "";
    document.title = [...panels.values()].map((p) => visible(p.name)).join(", ") + " · rtfm";
    drawn = performance.now();
    took = drawn - begin;
  });
};

addEventListener("pointerdown", () => { pressed = true; }, true);
for (const e of ["pointerup", "pointercancel"]) addEventListener(e, () => setTimeout(() => { pressed = false; draw(); }), true);

// changed draws at once, or soon if there are but new data: no more than a part of the
// time goes into drawing.
const changed = (data) => {
  if (data !== true) { draw(); return; }
  if (look.paused || asked || waiting) return;
  waiting = setTimeout(draw, Math.max(0, Math.max(still.matches ? CALM : PAUSE, 5 * took) - (performance.now() - drawn)));
};

// ---- what is shown

const pause = (on) => {
  look.paused = on;
  for (const p of panels.values()) p.pause(on);
  $("pause").setAttribute("aria-pressed", on);
  draw();
};

const range = (from, to) => {
  if (!(to > from)) return;
  look.range = { from, to };
  $("from").value = local(from);
  $("to").value = local(to);
  draw();
};

// move shows a time that is shifted by a part of its length, and so many times as long.
const move = (shift, times) => {
  const { from, to } = look.range ?? [...panels.values()][0]?.time() ?? {};
  const middle = (from + to) / 2 + shift * (to - from), half = Math.max(((to - from) / 2) * times, 500);
  range(middle - half, middle + half);
};

const show = () => {
  const chosen = [...$("meters").querySelectorAll("input:checked")].map((i) => Number(i.value));
  for (const [n, p] of panels) {
    if (chosen.includes(n)) continue;
    p.close();
    p.root.remove();
    panels.delete(n);
  }
  for (const n of chosen) {
    if (panels.has(n)) continue;
    const p = new Panel(n, sources[n], look, changed);
    panels.set(n, p);
    const after = [...panels.keys()].sort((a, b) => a - b).find((k) => k > n);
    $("main").insertBefore(p.root, after === undefined ? null : panels.get(after).root);
    p.connect(begin);
  }
  for (const i of $("meters").querySelectorAll("input")) i.disabled = !i.checked && chosen.length >= MOST_PANELS;
  draw();
};

// begin asks what there is to see, and for the token if it must.
const begin = async () => {
  const given = /token=([0-9a-f]+)/.exec(location.hash)?.[1];
  let answer;
  try {
    if (given) {
      history.replaceState(null, "", location.pathname);
      await login(given);
    }
    answer = await fetch(below("sources"));
  } catch {
    $("state").textContent = "the connection is lost; trying again";
    setTimeout(begin, 3000);
    return;
  }
  $("state").textContent = "";
  const known = answer.ok;
  $("enter").hidden = known;
  $("controls").hidden = !known;
  $("main").hidden = !known;
  if (!known) return;
  const names = await answer.json();
  look.packets = await fetch(below("offers")).then(async (a) => a.ok && (await a.json()).packets, () => false);
  if (String(names) !== String(sources)) {
    for (const p of panels.values()) { p.close(); p.root.remove(); }
    panels.clear();
    sources = names;
    $("meters").hidden = names.length < 2;
    $("meters").replaceChildren($("meters").querySelector("legend"), ...names.map((n, i) =>
      el("label", {}, el("input", { type: "checkbox", value: i, checked: i < MOST_PANELS }), " ", visible(n))));
    show();
  } else {
    for (const p of panels.values()) p.connect(begin);
  }
};

$("login").addEventListener("submit", async (e) => {
  e.preventDefault();
  const known = await login($("token").value.trim());
  $("refused").textContent = known ? "" : "This is another token.";
  if (known) begin();
});
$("length").append(...LENGTHS.map((l) => el("option", { value: l }, l < 120 ? `${l} s` : duration(l))));
$("controls").addEventListener("submit", (e) => e.preventDefault());
$("meters").addEventListener("change", show);
$("measure").addEventListener("change", () => { look.measure = $("measure").value; draw(); });
$("most").addEventListener("change", () => { look.most = Number($("most").value); draw(); });
$("span").addEventListener("change", () => { look.span = Number($("span").value); look.range = null; draw(); });
$("length").addEventListener("change", () => { look.length = $("length").value === "" ? null : Number($("length").value); draw(); });
$("flows-of").addEventListener("change", () => { look.flows = $("flows-of").value; draw(); });
$("pause").addEventListener("click", () => pause(!look.paused));
$("whole").addEventListener("click", () => { look.range = null; pause(false); });
$("times").addEventListener("toggle", () => {
  const { from, to } = look.range ?? [...panels.values()][0]?.time() ?? {};
  if (to > 1) { $("from").value = local(from); $("to").value = local(to); }
});
const choose = () => range(new Date($("from").value).getTime(), new Date($("to").value).getTime());
$("choose").addEventListener("click", choose);
for (const f of ["from", "to"]) $(f).addEventListener("keydown", (e) => { if (e.key === "Enter") choose(); });
$("earlier").addEventListener("click", () => move(-0.5, 1));
$("later").addEventListener("click", () => move(0.5, 1));
$("closer").addEventListener("click", () => move(0, 0.5));
$("wider").addEventListener("click", () => move(0, 2));
addEventListener("resize", draw);
begin();
