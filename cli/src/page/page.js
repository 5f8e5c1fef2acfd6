// The page: list, search, selection, keys.

const ROW = 24;
const $ = (id) => document.getElementById(id);
const state = { run: null, shown: [], selected: -1, hits: [], kinds: new Set(["trap", "return", "firmware"]) };
const timeline = new Timeline($("timeline"), (i) => select(i));

function load(index) {
  const run = (state.run = new Run(data.runs[index]));
  $("title").textContent = run.raw.title;
  $("command").textContent = run.raw.command;
  $("note").hidden = !run.raw.note;
  $("note").textContent = run.raw.note || "";
  const v = run.raw.verdict;
  $("verdict").hidden = !v;
  if (v) {
    $("verdict").classList.toggle("corrupt", v.wrong.length > 0);
    $("verdict-head").textContent = v.wrong.length ? "Corrupted: " + v.wrong.map((w) => w.text).join("; ") : "Nothing came back wrong";
    const made = (w) => w.text + (w.made_of ? `, made of ${w.made_of}` : "");
    const writer = (w) => (w.writer === null ? null : element("button", { class: "link", onclick: () => select(w.writer) }, `last written by #${run.entries[w.writer].n}`));
    $("wrong").replaceChildren(...v.wrong.map((w) => element("li", {}, made(w), " ", writer(w))));
    $("story").textContent = v.text;
  }
  oracles(run);
  timeline.hits = new Set();
  timeline.selected = -1;
  // Harts count their instructions apart, so with several of them only the order compares.
  byOrder(run.harts.length > 1);
  timeline.show(run);
  // The laboratory's cases are about what happens before the victim goes on.
  if (v && timeline.byOrder) timeline.view(-1, Math.min(v.resumed + 10, run.entries.length));
  filter();
  search();
  select(run.wrong().length ? run.wrong()[0] : run.entries.findIndex((e) => e.kind === "trap"));
}

// What the oracles say, each with a way to the entry that broke the rule.
function oracles(run) {
  const list = run.raw.violations || [], real = list.filter((v) => !v.warning).length;
  $("violations").hidden = list.length === 0;
  $("violations").classList.toggle("corrupt", real > 0);
  const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
  $("violations-head").textContent = `Oracles: ${count(real, "violation")}, ${count(list.length - real, "warning")}`;
  const to = (n) => {
    const i = run.index.get(n);
    return i === undefined ? null : element("button", { class: "link", onclick: () => select(i) }, `#${n}`);
  };
  $("spoken").replaceChildren(...list.map((v) => element("li", { class: v.warning ? "" : "bad" }, v.text, " ", to(v.since), " ", to(v.entry))));
}

function filter() {
  const { entries } = state.run;
  state.shown = entries.map((_, i) => i).filter((i) => state.kinds.has(entries[i].kind));
  $("rows").style.height = state.shown.length * ROW + "px";
  rows();
}

// Only the rows in view exist.
function rows() {
  const list = $("list"), { run, shown } = state;
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5), last = Math.min(shown.length, first + Math.ceil(list.clientHeight / ROW) + 10);
  const hits = new Set(state.hits), make = [];
  for (let at = first; at < last; at++) {
    const i = shown[at], e = run.entries[i];
    const row = element("div", {
      class: "row" + (hits.has(i) ? " hit" : "") + (run.bad.has(i) ? " bad" : "") + (run.violated.has(i) ? " violated" : "") + (run.writers.has(i) ? " writer" : ""), role: "option", id: "row" + i,
      "aria-selected": String(i === state.selected), "aria-setsize": String(shown.length), "aria-posinset": String(at + 1),
      onclick: () => select(i),
    }, element("span", { class: "n" }, "#" + e.n), element("span", { class: "h" }, "hart " + e.hart), element("span", { class: "m" }, modes(e)),
      element("span", { class: "w" }, headline(e)));
    row.style.top = at * ROW + "px";
    make.push(row);
  }
  $("rows").replaceChildren(...make);
}

// Where an entry stands in the list, or would stand.
function position(i) {
  let lo = 0, hi = state.shown.length;
  while (lo < hi) { const m = (lo + hi) >> 1; if (state.shown[m] < i) lo = m + 1; else hi = m; }
  return lo;
}

function select(i) {
  if (i === undefined || i < 0 || i >= state.run.entries.length) return;
  const kind = state.run.entries[i].kind;
  if (!state.kinds.has(kind)) {
    state.kinds.add(kind);
    document.querySelector(`#kinds input[value=${kind}]`).checked = true;
    filter();
  }
  state.selected = i;
  const list = $("list"), top = position(i) * ROW;
  if (top < list.scrollTop || top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 2;
  rows();
  list.setAttribute("aria-activedescendant", "row" + i);
  showDetails($("details"), state.run, i, select);
  timeline.reveal(i);
}

function search() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const all = state.run.texts;
  state.hits = words.length ? all.map((_, i) => i).filter((i) => words.every((w) => all[i].includes(w))) : [];
  $("found").textContent = words.length ? `${state.hits.length} found` : `${all.length} entries`;
  timeline.hits = new Set(state.hits);
  timeline.draw();
  rows();
}

function step(by) { const at = position(state.selected) + by; select(state.shown[Math.max(0, Math.min(at, state.shown.length - 1))]); }

function match(by) {
  const h = state.hits;
  if (!h.length) return;
  const next = by > 0 ? h.find((i) => i > state.selected) ?? h[0] : [...h].reverse().find((i) => i < state.selected) ?? h[h.length - 1];
  select(next);
}

function matched() {
  const e = state.run.entries[state.selected], l = e && (e.ends || e.ended);
  if (l) select(state.run.index.get(l.n));
}

function corrupted() {
  const bad = state.run.wrong();
  if (bad.length) select(bad.find((i) => i > state.selected) ?? bad[0]);
}

function byOrder(on) {
  timeline.byOrder = on;
  $("scale").setAttribute("aria-pressed", String(on));
}

function scale() {
  byOrder(!timeline.byOrder);
  timeline.fit();
  select(state.selected);
}

const page = () => Math.max(1, Math.floor($("list").clientHeight / ROW) - 1);
const KEYS = {
  "/": () => $("search").focus(), n: () => match(1), N: () => match(-1), j: () => step(1), k: () => step(-1), ArrowDown: () => step(1),
  ArrowUp: () => step(-1), PageDown: () => step(page()), PageUp: () => step(-page()), Home: () => select(state.shown[0]),
  End: () => select(state.shown[state.shown.length - 1]), m: matched, c: corrupted, ArrowLeft: () => timeline.move(-0.2),
  ArrowRight: () => timeline.move(0.2), "+": () => timeline.zoom(0.6), "=": () => timeline.zoom(0.6), "-": () => timeline.zoom(1.6),
  0: () => timeline.fit(), t: scale, "?": () => $("keys").showModal(),
};

document.addEventListener("keydown", (ev) => {
  if (ev.ctrlKey || ev.metaKey || ev.altKey || $("keys").open) return;
  if (ev.target === $("search")) {
    if (ev.key === "Enter") { match(ev.shiftKey ? -1 : 1); ev.preventDefault(); }
    if (ev.key === "Escape") { $("search").value = ""; search(); $("list").focus(); }
    return;
  }
  // Selects, check boxes and buttons keep their own keys; the details scroll.
  const own = ev.target.matches("select, input, summary") || (ev.target === $("details") && /^(Arrow|Page|Home|End)/.test(ev.key));
  if (own || !KEYS[ev.key]) return;
  KEYS[ev.key]();
  ev.preventDefault();
});

for (const kind of KINDS) {
  const box = element("input", { type: "checkbox", value: kind });
  box.checked = state.kinds.has(kind);
  box.addEventListener("change", () => { if (box.checked) state.kinds.add(kind); else state.kinds.delete(kind); filter(); });
  $("kinds").append(element("label", {}, box, " " + { trap: "traps", return: "returns", firmware: "firmware", write: "writes" }[kind]));
}
$("list").addEventListener("scroll", rows);
new ResizeObserver(rows).observe($("list"));
$("search").addEventListener("input", search);
$("next").addEventListener("click", () => match(1));
$("previous").addEventListener("click", () => match(-1));
$("in").addEventListener("click", () => timeline.zoom(0.6));
$("out").addEventListener("click", () => timeline.zoom(1.6));
$("fit").addEventListener("click", () => timeline.fit());
$("scale").addEventListener("click", scale);
$("help").addEventListener("click", () => $("keys").showModal());
data.runs.forEach((r, i) => $("run").append(element("option", { value: String(i) }, r.title)));
$("run-label").hidden = data.runs.length < 2;
$("run").addEventListener("change", () => load(Number($("run").value)));
load(0);
