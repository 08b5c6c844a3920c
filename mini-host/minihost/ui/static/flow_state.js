// The states of the steps: asked for once a second while the page is seen, shown where they stand.

import { ask } from "./page.js";

const EVERY = 1000, LONGEST = 15000;

export class States {
  /** `changed` is called when flow.yaml is another, `running` with the ids of the builds that run, `silent` with whether the server answers. */
  constructor(root, { changed, running, silent }) {
    Object.assign(this, { root, changed, running, silent });
    this.digest = root.dataset.digest;
    this.broken = root.dataset.broken;
    this.rev = "";
    this.steps = {};
    this.failures = 0;
    this.undoable = false;
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(0); });
    this.soon(0);
  }

  soon(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), wait);
  }

  async poll() {
    if (document.hidden || this.busy) return;
    this.busy = true;
    try {
      const facts = await ask(`/state?seen=${encodeURIComponent(this.rev)}`);
      if (this.failures) this.silent("");
      this.failures = 0;
      if (facts) await this.take(facts);
    } catch (refused) {
      this.failures += 1;
      if (this.failures > 1) this.silent(refused.status ? "The server has trouble. Trying again …" : "The server does not answer. This is the flow as it was; trying again …");
    } finally {
      this.busy = false;
      this.soon(Math.min(EVERY * 2 ** Math.min(this.failures, 4), LONGEST));
    }
  }

  async take(facts) {
    const broken = JSON.stringify(facts.broken);
    const isNew = facts.digest !== this.digest || broken !== JSON.stringify(JSON.parse(this.broken));
    const steps = Object.keys(facts.steps).length ? facts.steps : this.steps; // none: they are being looked at
    Object.assign(this, { rev: facts.rev, steps, digest: facts.digest, broken, undoable: facts.undoable });
    if (isNew) await this.changed();
    this.show();
    this.running(facts.running || []);
  }

  /** Write the states into the picture and the list; nothing else moves. */
  show() {
    if (!this.rev) return;
    for (const element of this.root.querySelectorAll("[data-step], [data-state-of]")) {
      const step = element.dataset.step ?? element.dataset.stateOf;
      const facts = step && this.steps[step];
      if (!facts) continue;
      const key = `${facts.state}\n${facts.why || ""}\n${JSON.stringify(facts.progress ?? "")}`;
      if (element.dataset.key === key) continue;
      element.dataset.key = key;
      if (element.classList.contains("node")) showNode(element, facts);
      else if (element.dataset.step) showRow(element, facts);
      else showState(element, facts);
    }
  }
}

const signs = new Map();

function sign(state) {
  if (!signs.has(state)) {
    const name = state.replaceAll(" ", "-");
    signs.set(state, document.getElementById(`sign-${name}`) ? name : "checking");
  }
  return signs.get(state);
}

function condition({ state, why, progress }) {
  const more = progress?.text || why;
  return more ? `${state}: ${more}` : state;
}

function replaceState(element, name) {
  element.classList.remove(...[...element.classList].filter((one) => document.getElementById(`sign-${one}`)));
  element.classList.add(name);
}

function showNode(node, facts) {
  const name = sign(facts.state), { what, ways } = node.dataset;
  replaceState(node, name);
  node.setAttribute("aria-label", `${what}, ${condition(facts)}${ways ? `; ${ways}` : ""}`);
  node.querySelector("title").textContent = `${what}\n${condition(facts)}`;
  node.querySelector(".sign")?.setAttribute("href", `#sign-${name}`);
  const ring = node.querySelector(".ring");
  if (!ring) return;
  const part = facts.progress?.part;
  const isKnown = typeof part === "number";
  ring.classList.toggle("endless", !isKnown);
  ring.setAttribute("stroke-dasharray", `${isKnown ? Math.max(2, Math.min(100, part * 100)) : 25} 100`);
}

function showState(state, facts) {
  replaceState(state, sign(facts.state));
  state.textContent = facts.state;
  const why = state.nextElementSibling;
  if (why?.matches(".note, .why")) why.textContent = facts.progress?.text || facts.why || "";
}

function showRow(row, facts) {
  const state = row.querySelector(".state");
  if (state) showState(state, facts);
}
