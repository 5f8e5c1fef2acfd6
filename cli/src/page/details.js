// The details of one entry, built of elements; nothing of the data is ever read as HTML.

function element(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (k === "class") e.className = v;
    else if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

const pair = (name, value) => (value === null || value === undefined || value === "" ? [] : [element("dt", {}, name), element("dd", {}, value)]);

const where = (at) => (at ? (at.symbol ? `${at.pc} <${place(at)}>` : at.pc) : "");

// Bits, and what they say if that is more.
const said = (v) => (v.text && v.text !== v.bits ? `${v.bits}: ${v.text}` : v.bits === "0x0" ? v.text : v.bits);

function link(run, l, verb, select) {
  if (!l) return null;
  const i = run.index.get(l.n);
  const label = `${verb} #${l.n} after ${l.instructions} instructions`;
  if (i === undefined) return label;
  return element("button", { class: "link", id: "matched", onclick: () => select(i) }, label);
}

function changes(run, i) {
  const list = values(run.entries[i]);
  if (list.length === 0) return [];
  const row = (v) => {
    const bad = run.isBad(i, v.name);
    const after = v.changed ? `${v.before} \u2192 ${v.after}` : v.after;
    return element("tr", { class: bad ? "bad" : "" }, element("td", {}, v.name + (bad ? (run.writers.has(i) ? " (last writer)" : " (corrupted)") : "")), element("td", { class: "v" }, after));
  };
  const head = element("tr", {}, element("th", { scope: "col" }, "Field"), element("th", { scope: "col" }, "Before \u2192 after"));
  return [element("h3", {}, run.entries[i].fields ? "Values" : "Changed fields"),
    element("table", { id: "fields" }, element("thead", {}, head), element("tbody", {}, ...list.map(row)))];
}

function flags(f) {
  const set = ["D", "A", "G", "U", "X", "W", "R", "V"].map((n) => (BigInt(f[n]) ? n : "-")).join("");
  const more = ["N", "PBMT", "reserved", "RSW"].filter((n) => BigInt(f[n])).map((n) => `${n} ${f[n]} `).join("");
  return `${more}${set}, PPN ${f.PPN}`;
}

function walk(w) {
  if (!w) return [];
  const a = w.access;
  const head = element("tr", {}, ...["Stage", "Level", "Translates", "Entry at", "Value", "Says"].map((t) => element("th", { scope: "col" }, t)));
  const row = (e) => element("tr", {}, element("td", {}, e.stage), element("td", {}, String(e.level)), element("td", { class: "v" }, e.input),
    element("td", { class: "v" }, e.address === e.pa ? e.pa : `${e.address} = ${e.pa}`), element("td", { class: "v" }, e.value + (e.write ? " (written)" : "")),
    element("td", { class: "v" }, flags(e.fields)));
  const r = w.refused;
  const stage = r && (r.stage ? `the ${r.stage}-stage, for ${r.input}` : `physical memory, at ${r.input}`);
  return [element("h3", {}, `Page walk of a ${a.kind} of ${a.bytes} bytes at ${a.va} as ${a.mode}-mode`),
    element("table", { id: "walk" }, element("thead", {}, head), element("tbody", {}, ...w.entries.map(row))),
    r ? element("p", { id: "refused" }, `Refused by ${stage}: ${r.why} (${r.clause})`) : null];
}

function losers(e) {
  if (!e.losers || e.losers.length === 0) return [];
  return [element("h3", {}, "Pending and not taken"),
    element("ul", {}, ...e.losers.map((l) => element("li", {}, `${l.name} (${l.code}): ${l.why}`)))];
}

// Fills the details with entry `i` of a run; `select` goes to another.
function showDetails(box, run, i, select) {
  const e = run.entries[i];
  const title = e.kind === "trap" ? `${e.cause.name} (${code(e)})` : e.kind === "firmware" ? `${e.family} ${e.name}` : e.kind;
  const trap = e.kind === "trap";
  box.replaceChildren(
    element("h2", {}, `#${e.n} ${title}`),
    element("dl", {},
      ...pair("Hart, instruction", `${e.hart}, ${e.instret.toLocaleString("en")}`), ...pair("Mode", modes(e)),
      ...pair(run.writers.has(i) ? "Last writer of what came back wrong" : "Corrupted", [...(run.bad.get(i) || [])].join(", ")),
      ...(run.violated.get(i) || []).flatMap((v) => pair(v.warning ? "Warning" : "Violates", element("span", { class: "bad" }, `${v.oracle} ${v.name} (${v.clause}): ${v.text}`))),
      ...pair("At", where(e.at)), ...pair("To", where(e.target)), ...pair("Why there", e.why),
      ...(trap ? [...pair("xtval", said(e.tval)), ...pair("xtval2", said(e.tval2)), ...pair("xtinst", said(e.tinst))] : []),
      ...pair("Matched", link(run, e.ends, "ends", select) || link(run, e.ended, "ended by", select) || (trap ? "has not returned" : null))),
    ...[...changes(run, i), ...losers(e), ...walk(e.walk)].filter((x) => x !== null));
}
