"use strict";
// The data: runs of ledger entries (docs/trace-format.md), and what the page derives from them.

const LANES = ["VU", "VS", "U", "HS", "M"];
const KINDS = ["trap", "return", "firmware", "write"];
const data = JSON.parse(document.getElementById("data").textContent);

// Numbers of the ledger are hexadecimal text; many are too large for a number.
const code = (e) => {
  const bits = BigInt(e.cause.bits);
  return (bits >> 63n ? "interrupt " : "exception ") + (bits & ((1n << 63n) - 1n));
};

const place = (at) => (at.symbol ? at.symbol + (at.offset ? "+0x" + at.offset.toString(16) : "") : at.pc);

// An entry in a line.
function headline(e) {
  switch (e.kind) {
    case "trap": return `${e.cause.name} at ${place(e.at)}` + (e.tval.text ? `, ${e.tval.text}` : "");
    case "return": return `return at ${place(e.at)} to ${place(e.target)}`;
    case "write": return `writes ${e.changes.map((c) => c.csr).join(", ")} at ${place(e.at)}`;
    default: return `firmware ${e.family} ${e.name}`;
  }
}

const modes = (e) => (e.from ? `${e.from} \u2192 ${e.to}` : e.mode || "M");

// Every changed value of an entry: name, before, after.
function values(e) {
  if (e.fields) {
    return e.fields.map((f) => ({ name: f.name, before: f.before, after: f.after, changed: f.before !== f.after }));
  }
  const list = [];
  for (const c of e.changes || []) {
    if (c.fields.length === 0) list.push({ name: c.csr, before: c.before, after: c.after, changed: true });
    for (const f of c.fields) list.push({ name: `${c.csr}.${f.name}`, before: f.before, after: f.after, changed: true });
  }
  return list;
}

// What search looks at.
function text(e) {
  const parts = ["#" + e.n, "hart " + e.hart, e.kind, modes(e), headline(e), e.why || "", place(e.at || { pc: "" })];
  if (e.kind === "trap") parts.push(code(e), e.tval.bits, e.tval2.text || "", e.tinst.text || "");
  if (e.at) parts.push(e.at.pc);
  if (e.walk && e.walk.refused) parts.push(e.walk.refused.why);
  for (const v of values(e)) parts.push(v.name);
  return parts.join(" ").toLowerCase();
}

// sstatus is a view of mstatus, which the ledger names.
const alias = (name) => name.replace(/^sstatus\b/, "mstatus");

class Run {
  constructor(raw) {
    this.raw = raw;
    this.entries = raw.entries;
    this.index = new Map(this.entries.map((e, i) => [e.n, i]));
    this.texts = this.entries.map(text);
    this.harts = [...new Set(this.entries.map((e) => e.hart))].sort((a, b) => a - b);
    this.bad = new Map();
    this.writers = new Set();
    this.blame();
    // What oracles say, by position of the entry that broke their rule.
    this.violated = new Map();
    for (const v of raw.violations || []) {
      const i = this.index.get(v.entry);
      if (i === undefined) continue;
      if (!this.violated.has(i)) this.violated.set(i, []);
      this.violated.get(i).push(v);
      this.texts[i] += ` violates ${v.oracle} ${v.name}`.toLowerCase();
    }
    this.slices = this.modeSlices();
    this.events = this.eventSlices();
  }

  // Names of wrong values, by position of the entries that made them or brought them back.
  blame() {
    const v = this.raw.verdict;
    if (!v) return;
    const mark = (i, name) => {
      if (i === null || i === undefined || i < 0 || i >= this.entries.length) return;
      if (!this.bad.has(i)) this.bad.set(i, new Set());
      this.bad.get(i).add(alias(name));
    };
    for (const w of v.wrong) {
      mark(w.writer, w.made_of || w.name);
      if (w.writer !== null) this.writers.add(w.writer);
      for (let i = v.completed; i < Math.min(v.resumed, this.entries.length); i++) {
        const touches = values(this.entries[i]).some((x) => [alias(w.name), w.made_of && alias(w.made_of)].includes(alias(x.name)));
        if (touches) mark(i, w.name);
        if (touches && w.made_of) mark(i, w.made_of);
      }
      // The return that resumes the victim.
      if (w.name === "mode" || w.name === "pc") {
        for (let i = v.resumed - 1; i >= v.completed; i--) {
          if (this.entries[i] && this.entries[i].kind === "return") { mark(i, w.name); break; }
        }
      }
    }
  }

  isBad(i, name) { return this.bad.has(i) && this.bad.get(i).has(alias(name)); }

  // Positions of what is wrong, in order.
  wrong() { return [...new Set([...this.bad.keys(), ...this.violated.keys()])].sort((a, b) => a - b); }

  // Stretches that a hart spent in a mode: between its traps and returns.
  modeSlices() {
    const open = new Map(), slices = [];
    this.entries.forEach((e, i) => {
      if (e.kind !== "trap" && e.kind !== "return") return;
      const o = open.get(e.hart) || { from: e.instret, order: i, entry: null };
      slices.push({ hart: e.hart, mode: e.from, from: o.from, to: e.instret, order: [o.order, i], entry: o.entry });
      open.set(e.hart, { from: e.instret, order: i, entry: i, mode: e.to });
    });
    const last = new Map();
    for (const e of this.entries) last.set(e.hart, e.instret);
    for (const [hart, o] of open) {
      slices.push({ hart, mode: o.mode, from: o.from, to: last.get(hart) + 1, order: [o.order, this.entries.length], entry: o.entry });
    }
    return slices;
  }

  // Software events that run, nested: from the firmware's inject to its complete, or as the laboratory saw them.
  eventSlices() {
    const stacks = new Map(), slices = [];
    const begin = (i, name) => {
      const e = this.entries[i];
      const stack = stacks.get(e.hart) || [];
      stacks.set(e.hart, stack);
      stack.push({ hart: e.hart, name, from: e.instret, to: null, order: [i, this.entries.length], depth: stack.length, entry: i });
    };
    const end = (i, hart) => {
      const s = (stacks.get(hart) || []).pop();
      if (!s) return;
      s.to = this.entries[i].instret;
      s.order[1] = i;
      slices.push(s);
    };
    this.entries.forEach((e, i) => {
      if (e.kind !== "firmware" || e.family !== "sse") return;
      if (e.name === "inject") {
        const id = e.fields.find((f) => f.name === "event_id");
        begin(i, "event " + (id ? id.after : ""));
      } else if (e.name === "complete") end(i, e.hart);
    });
    const v = this.raw.verdict;
    if (slices.length === 0 && stacks.size === 0 && v && v.delivered < this.entries.length && v.delivered > 0) {
      begin(v.delivered, "event");
      end(Math.min(v.completed, this.entries.length - 1), this.entries[v.delivered].hart);
    }
    const last = this.entries.length ? this.entries[this.entries.length - 1].instret : 0;
    for (const stack of stacks.values()) for (const s of stack) slices.push({ ...s, to: Math.max(last, s.from + 1) });
    return slices;
  }
}
