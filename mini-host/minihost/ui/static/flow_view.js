// Moving and zooming the picture of the flow, by its viewBox.

const LEAST = 0.08, MOST = 2.5, READABLE = 0.5;

export class View {
  /** `host` holds the svg, which may be replaced: call `take` then. */
  constructor(host) {
    this.host = host;
    this.pointers = new Map();
    host.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    host.addEventListener("pointerdown", (event) => this.down(event));
    host.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) host.addEventListener(name, (event) => this.up(event));
    host.addEventListener("dragstart", (event) => event.preventDefault());
    host.addEventListener("click", (event) => { if (this.moved) { event.preventDefault(); event.stopPropagation(); this.moved = false; } }, true);
    new ResizeObserver(() => this.resized()).observe(host);
  }

  get svg() { return this.host.querySelector(".flow-picture"); }
  get size() { return { width: this.host.clientWidth, height: this.host.clientHeight }; }
  get whole() { return { width: Number(this.svg.dataset.width), height: Number(this.svg.dataset.height) }; }

  /** Whether the whole flow is shown and can be read: so it stays until somebody moves or zooms it. */
  get isWhole() {
    const { width, height } = this.whole;
    return this.fitted && Math.min(this.size.width / width, this.size.height / height) >= READABLE;
  }

  /** Begin with a new picture. Keeps the place: `shift` is how far the node that people look at has moved in it. */
  take(shift = null) {
    if (!this.svg) return;
    if (this.scale && this.isWhole) this.fit();
    else if (shift && this.scale) { this.x += shift.x; this.y += shift.y; this.show(); } else if (!this.scale) this.begin(); else this.show();
  }

  /** The whole flow where it can be read at that size, else its beginning. */
  begin() {
    if (!this.svg || !this.size.width) return;
    this.fit();
    if (this.isWhole) return;
    this.scale = READABLE;
    this.x = 0;
    const first = this.svg.querySelector(".node");
    const y = first ? place(first).y : 0;
    const high = this.size.height / this.scale;
    this.y = this.whole.height < high ? (this.whole.height - high) / 2 : Math.min(Math.max(0, y - high / 2), this.whole.height - high);
    this.show();
  }

  fit() {
    if (!this.svg || !this.size.width) return;
    const { width, height } = this.whole;
    this.fitted = true;
    this.scale = Math.min(1, Math.max(LEAST / 4, Math.min(this.size.width / width, this.size.height / height)));
    this.x = (width - this.size.width / this.scale) / 2;
    this.y = (height - this.size.height / this.scale) / 2;
    this.show();
  }

  show() {
    if (!this.svg || !this.size.width) return;
    this.svg.setAttribute("viewBox", `${this.x} ${this.y} ${this.size.width / this.scale} ${this.size.height / this.scale}`);
    const dots = 24 * Math.max(this.scale, 0.5); // the dots behind it move with it
    this.svg.style.backgroundSize = `${dots}px ${dots}px`;
    this.svg.style.backgroundPosition = `${-this.x * this.scale}px ${-this.y * this.scale}px`;
  }

  resized() {
    if (!this.svg) return;
    if (!this.scale) this.begin(); else if (this.isWhole) this.fit(); else this.show();
  }

  zoom(factor, at = { x: this.size.width / 2, y: this.size.height / 2 }) {
    if (!this.scale) return;
    this.fitted = false;
    const scale = Math.min(MOST, Math.max(Math.min(LEAST, this.scale), this.scale * factor));
    this.x += at.x / this.scale - at.x / scale;
    this.y += at.y / this.scale - at.y / scale;
    this.scale = scale;
    this.show();
  }

  pan(x, y) {
    this.fitted = false;
    this.x -= x / this.scale;
    this.y -= y / this.scale;
    this.show();
  }

  /** Move so far that a node is seen, with what is around it. */
  reveal(node, { centre = false } = {}) {
    if (!this.scale || !this.size.width) return;
    if (this.isWhole) { this.fit(); return; }
    const { x, y } = place(node), wide = this.size.width / this.scale, high = this.size.height / this.scale;
    const margin = Math.min(110, wide / 3, high / 3);
    if (centre) { this.x = x - wide / 2; this.y = y - high / 2; }
    this.x = Math.min(x - margin, Math.max(this.x, x + margin - wide));
    this.y = Math.min(y - margin, Math.max(this.y, y + margin - high));
    this.show();
  }

  /** The node nearest to the middle of what is seen. */
  middle() {
    if (!this.svg || !this.scale) return null;
    const at = { x: this.x + this.size.width / this.scale / 2, y: this.y + this.size.height / this.scale / 2 };
    let best = null, least = Infinity;
    for (const node of this.svg.querySelectorAll(".node")) {
      const { x, y } = place(node), far = (x - at.x) ** 2 + (y - at.y) ** 2;
      if (far < least) { least = far; best = node; }
    }
    return best;
  }

  at(event) {
    const box = this.host.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  wheel(event) {
    if (!this.svg || event.target.closest(".broken")) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? this.size.height : 1;
    if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY * unit)) / 180), this.at(event));
    else if (event.shiftKey && !event.deltaX) this.pan(-event.deltaY * unit, 0);
    else this.pan(-event.deltaX * unit, -event.deltaY * unit);
  }

  down(event) {
    if (!this.svg || event.button || !event.target.closest(".flow-picture")) return;
    this.pointers.set(event.pointerId, this.at(event));
    if (this.pointers.size === 1) { this.moved = false; this.start = this.at(event); }
  }

  move(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = this.at(event);
    if (this.pointers.size === 2) {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const before = Math.hypot(last.x - other.x, last.y - other.y), after = Math.hypot(now.x - other.x, now.y - other.y);
      this.pan((now.x - last.x) / 2, (now.y - last.y) / 2);
      if (before > 10) this.zoom(after / before, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
      this.moved = true;
    } else if (this.moved || Math.hypot(now.x - this.start.x, now.y - this.start.y) > 4) {
      if (!this.moved) { this.moved = true; this.host.setPointerCapture(event.pointerId); this.svg.classList.add("dragged"); }
      this.pan(now.x - last.x, now.y - last.y);
    }
    this.pointers.set(event.pointerId, now);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    this.svg?.classList.remove("dragged");
    if (this.moved && !this.pointers.size) setTimeout(() => { this.moved = false; });
  }
}

/** Where a node stands in the picture. */
export function place(node) {
  const { e, f } = node.transform.baseVal.consolidate().matrix;
  return { x: e, y: f };
}
