// Walking over the flow by keyboard: one node is in the tab order, arrow keys go along the edges and to siblings.

import { place } from "./flow_view.js";

export class Walk {
  constructor(host, view) {
    this.host = host;
    this.view = view;
    host.addEventListener("keydown", (event) => this.key(event));
    host.addEventListener("focusin", (event) => {
      const node = event.target.closest(".node");
      if (!node) return;
      this.enter(node);
      if (node.matches(":focus-visible")) view.reveal(node);
    });
    this.take();
  }

  /** Read the nodes and edges of a new picture. */
  take() {
    this.nodes = [...this.host.querySelectorAll(".node")];
    this.byId = new Map(this.nodes.map((node) => [node.dataset.id, node]));
    this.out = new Map();
    this.into = new Map();
    for (const edge of this.host.querySelectorAll(".edge")) {
      const { from, to } = edge.dataset;
      if (!this.out.has(from)) this.out.set(from, []);
      if (!this.into.has(to)) this.into.set(to, []);
      this.out.get(from).push(edge);
      this.into.get(to).push(edge);
    }
  }

  /** The edges that begin or end at a node. */
  edges(node) { return [...(this.out.get(node.dataset.id) || []), ...(this.into.get(node.dataset.id) || [])]; }

  /** Make a node the one that Tab comes to. */
  enter(node) {
    for (const other of this.host.querySelectorAll('.node[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    node.setAttribute("tabindex", "0");
  }

  go(node) {
    if (!node) return;
    this.enter(node);
    node.focus({ preventScroll: true, focusVisible: true });
    this.view.reveal(node);
  }

  key(event) {
    const node = event.target.closest(".node");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.next(node, event.key);
    if (next === undefined) return;
    event.preventDefault();
    this.go(next);
  }

  /** The node that a key leads to, null for none, undefined for keys that lead nowhere. */
  next(node, key) {
    const ends = (edges, end) => (edges || []).filter((edge) => !edge.classList.contains("cache")).map((edge) => this.byId.get(edge.dataset[end]));
    if (key === "ArrowRight") return nearest(node, ends(this.out.get(node.dataset.id), "to")) || nearest(node, this.linked(this.out.get(node.dataset.id), "to"));
    if (key === "ArrowLeft") return nearest(node, ends(this.into.get(node.dataset.id), "from")) || nearest(node, this.linked(this.into.get(node.dataset.id), "from"));
    if (key === "ArrowDown" || key === "ArrowUp") {
      const { x, y } = place(node), sign = key === "ArrowDown" ? 1 : -1;
      return nearest(node, this.nodes.filter((other) => { const at = place(other); return at.x === x && (at.y - y) * sign > 0; }));
    }
    if (key === "Home") return this.nodes[0];
    if (key === "End") return this.nodes.at(-1);
    return undefined;
  }

  linked(edges, end) { return (edges || []).map((edge) => this.byId.get(edge.dataset[end])); }
}

function nearest(node, others) {
  const y = place(node).y;
  return others.filter(Boolean).sort((a, b) => Math.abs(place(a).y - y) - Math.abs(place(b).y - y))[0] || null;
}
