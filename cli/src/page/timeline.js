// The timeline: a canvas with a lane for each mode of each hart, and one for software events.

const LANE = 17, HEAD = 20, LEFT = 92;

class Timeline {
  constructor(canvas, onSelect) {
    this.canvas = canvas;
    this.onSelect = onSelect;
    this.byOrder = false;
    this.selected = -1;
    this.hits = new Set();
    const pan = { from: null };
    canvas.addEventListener("pointerdown", (ev) => {
      pan.from = { x: ev.offsetX, lo: this.lo, hi: this.hi, moved: false };
      canvas.setPointerCapture(ev.pointerId);
    });
    canvas.addEventListener("pointermove", (ev) => {
      if (!pan.from) return;
      const dx = ev.offsetX - pan.from.x;
      if (Math.abs(dx) > 3) pan.from.moved = true;
      const by = (dx / this.width()) * (pan.from.hi - pan.from.lo);
      this.view(pan.from.lo - by, pan.from.hi - by);
    });
    canvas.addEventListener("pointerup", (ev) => {
      const click = pan.from && !pan.from.moved;
      pan.from = null;
      if (click) this.pick(ev.offsetX, ev.offsetY);
    });
    canvas.addEventListener("wheel", (ev) => {
      ev.preventDefault();
      if (ev.shiftKey) this.move(ev.deltaY / 600);
      else this.zoom(ev.deltaY > 0 ? 1.25 : 0.8, ev.offsetX);
    }, { passive: false });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(run) {
    this.run = run;
    // Lanes of each hart, from the top; events above, as deep as they nest.
    this.lanes = new Map();
    let y = HEAD;
    for (const hart of run.harts) {
      const depth = Math.max(0, ...run.events.filter((s) => s.hart === hart).map((s) => s.depth + 1));
      for (let d = depth - 1; d >= 0; d--) { this.lanes.set(`${hart} SSE${d}`, y); y += LANE; }
      for (const m of LANES) { this.lanes.set(`${hart} ${m}`, y); y += LANE; }
      y += 8;
    }
    this.canvas.style.height = y + "px";
    this.height = y;
    this.fit();
  }

  at(i) { return this.byOrder ? i : this.run.entries[i].instret; }
  span(s) { return this.byOrder ? s.order : [s.from, s.to]; }

  bounds() {
    const n = this.run.entries.length;
    if (n === 0) return [0, 1];
    if (this.byOrder) return [0, n];
    let lo = Infinity, hi = -Infinity;
    for (const e of this.run.entries) { lo = Math.min(lo, e.instret); hi = Math.max(hi, e.instret); }
    return [lo, Math.max(hi, lo + 1) + 1];
  }

  width() { return Math.max(1, this.canvas.clientWidth - LEFT - 10); }
  x(v) { return LEFT + ((v - this.lo) / (this.hi - this.lo)) * this.width(); }

  fit() { const [lo, hi] = this.bounds(); const edge = (hi - lo) * 0.01; this.view(lo - edge, hi + edge); }

  view(lo, hi) {
    const [min, max] = this.bounds(), size = Math.max(4, Math.min(hi - lo, (max - min) * 1.1));
    const low = Math.max(min - size * 0.9, Math.min(lo, max - size * 0.1));
    this.lo = low; this.hi = low + size;
    this.draw();
  }

  zoom(by, x = LEFT + this.width() / 2) {
    const at = this.lo + ((x - LEFT) / this.width()) * (this.hi - this.lo);
    this.view(at - (at - this.lo) * by, at + (this.hi - at) * by);
  }

  move(by) { const d = (this.hi - this.lo) * by; this.view(this.lo + d, this.hi + d); }

  reveal(i) {
    this.selected = i;
    const v = this.at(i), size = this.hi - this.lo;
    if (v < this.lo || v > this.hi) this.view(v - size / 2, v + size / 2);
    else this.draw();
  }

  // The entry nearest to a point: first by lane, then by distance.
  pick(x, y) {
    let best = -1, far = Infinity;
    this.run.entries.forEach((e, i) => {
      const lane = this.lane(e), dy = Math.abs(lane + LANE / 2 - y), d = Math.abs(this.x(this.at(i)) - x) + dy * 3;
      if (d < far) { far = d; best = i; }
    });
    if (best >= 0) this.onSelect(best);
  }

  lane(e) {
    const key = e.kind === "firmware" && e.family === "sse" ? `${e.hart} SSE0` : `${e.hart} ${e.to || e.mode || "M"}`;
    return this.lanes.get(key) ?? this.lanes.get(`${e.hart} M`);
  }

  draw() {
    const c = this.canvas, w = c.clientWidth;
    if (!this.run || w === 0) return;
    const ratio = window.devicePixelRatio || 1;
    c.width = w * ratio;
    c.height = this.height * ratio;
    const g = c.getContext("2d"), css = getComputedStyle(document.documentElement), color = (n) => css.getPropertyValue(n).trim();
    g.scale(ratio, ratio);
    g.fillStyle = color("--back");
    g.fillRect(0, 0, w, this.height);
    g.font = "12px system-ui, sans-serif";
    g.textBaseline = "middle";
    this.grid(g, w, color);
    g.save();
    g.beginPath();
    g.rect(LEFT, 0, w - LEFT, this.height);
    g.clip();
    for (const s of this.run.slices) this.bar(g, w, s, this.lanes.get(`${s.hart} ${s.mode}`), color("--" + s.mode), "");
    for (const s of this.run.events) this.bar(g, w, s, this.lanes.get(`${s.hart} SSE${s.depth}`), color("--SSE"), s.name);
    this.marks(g, w, color);
    g.restore();
  }

  grid(g, w, color) {
    g.fillStyle = color("--soft");
    let step = 10 ** Math.ceil(Math.log10((this.hi - this.lo) / 8));
    if ((this.hi - this.lo) / step < 3) step /= 5;
    step = Math.max(1, step);
    for (let v = Math.max(0, Math.ceil(this.lo / step) * step); v <= this.hi; v += step) {
      const x = this.x(v);
      if (x < LEFT) continue;
      g.fillText(v.toLocaleString("en"), x + 3, HEAD / 2);
      g.fillRect(x, 0, 1, HEAD - 4);
    }
    g.fillText(this.byOrder ? "entries" : "instructions", 8, HEAD / 2);
    for (const [key, y] of this.lanes) {
      const [hart, lane] = key.split(" ");
      g.fillStyle = color("--line");
      g.fillRect(LEFT, y + LANE - 1, w - LEFT, 1);
      g.fillStyle = color(lane.startsWith("SSE") ? "--SSE" : "--" + lane);
      g.fillText(`hart ${hart}  ${lane.startsWith("SSE") ? "SSE" : lane}`, 8, y + LANE / 2);
    }
  }

  bar(g, w, s, y, fill, label) {
    const [from, to] = this.span(s), a = this.x(from), b = this.x(to);
    if (y === undefined || b < LEFT || a > w) return;
    g.fillStyle = fill;
    g.globalAlpha = label ? 0.9 : 0.75;
    g.fillRect(a, y + 2, Math.max(1, b - a), LANE - 5);
    g.globalAlpha = 1;
    if (label && b - a > 60) {
      g.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--back");
      g.fillText(label, Math.max(a, LEFT) + 4, y + LANE / 2);
    }
  }

  marks(g, w, color) {
    const mark = (i, fill, size) => {
      const x = this.x(this.at(i)), y = this.lane(this.run.entries[i]);
      if (x < LEFT || x > w) return;
      g.fillStyle = fill;
      g.beginPath();
      g.moveTo(x, y + LANE / 2 - size);
      g.lineTo(x + size, y + LANE / 2);
      g.lineTo(x, y + LANE / 2 + size);
      g.lineTo(x - size, y + LANE / 2);
      g.fill();
    };
    for (const i of this.hits) mark(i, color("--hit"), 4);
    for (const i of this.run.wrong()) {
      mark(i, color("--bad"), 6);
      const x = this.x(this.at(i));
      g.fillStyle = color("--bad");
      g.fillRect(x, HEAD, 1, this.height - HEAD);
    }
    if (this.selected < 0) return;
    const e = this.run.entries[this.selected], x = this.x(this.at(this.selected));
    g.fillStyle = color("--text");
    g.fillRect(x - 1, HEAD - 4, 2, this.height - HEAD);
    // The matched return, or the trap that it ends.
    const other = (e.ends || e.ended || {}).n, at = this.run.index.get(other);
    if (at !== undefined) {
      const y = this.lane(e) + LANE - 2, x2 = this.x(this.at(at));
      g.strokeStyle = color("--link");
      g.lineWidth = 2;
      g.strokeRect(Math.min(x, x2), y - LANE + 3, Math.abs(x2 - x), LANE - 3);
      mark(at, color("--link"), 5);
    }
    mark(this.selected, color("--text"), 5);
  }
}
