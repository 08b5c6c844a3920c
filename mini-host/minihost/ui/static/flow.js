// The page of the flow: picture and list, what is selected, what is running.

import { edit, shown } from "./edits.js";
import { ask, load, notice, post, show } from "./page.js";
import { Search } from "./flow_search.js";
import { States } from "./flow_state.js";
import { place, View } from "./flow_view.js";
import { Walk } from "./flow_walk.js";

const root = document.getElementById("flow");
const graph = document.getElementById("graph"), list = document.getElementById("list");
const side = document.getElementById("side"), panel = document.getElementById("panel");
const isNarrow = matchMedia("(max-width: 44rem)");

const view = new View(graph);
const walk = new Walk(graph, view);
const idOf = (link) => new URL(link.href.baseVal ?? link.href, location.href).searchParams.get("id");
const nodeOf = (id) => walk.nodes.find((node) => idOf(node) === id);
const isList = () => getComputedStyle(graph).display === "none";

// What is selected: the address holds it, so that a link and the Back button bring it back.
let selected = "";

function mark() {
  for (const link of root.querySelectorAll(".node, [data-row]")) {
    const id = link.dataset.row === undefined ? idOf(link) : idOf(link.querySelector("a"));
    if (id === selected) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
  }
  for (const edge of graph.querySelectorAll(".edge.near")) edge.classList.remove("near");
  const node = nodeOf(selected);
  if (!node) return;
  for (const edge of walk.edges(node)) { edge.classList.add("near"); edge.parentNode.append(edge); }
  walk.enter(node);
}

async function select(id, { remember = true, adding = false, enter = false } = {}) {
  const isSame = id === selected;
  selected = id;
  mark();
  if (remember && !isSame) {
    const address = new URL(location.href);
    if (id) address.searchParams.set("id", id); else address.searchParams.delete("id");
    history.pushState(null, "", address);
  }
  side.hidden = !id && !adding;
  if (!id) { panel.replaceChildren(); return; }
  const node = nodeOf(id);
  if (node) requestAnimationFrame(() => view.reveal(node));
  if (enter) document.getElementById("close-panel").focus();
  await load(panel, `/panel?id=${encodeURIComponent(id)}`);
  if (enter && id === selected) panel.querySelector("h2")?.focus();
  states.show();
}

function close() {
  const id = selected;
  select("");
  const node = isList() ? [...list.querySelectorAll("[data-row] th a")].find((link) => idOf(link) === id) : nodeOf(id);
  node?.focus({ preventScroll: true });
}

root.addEventListener("click", (event) => {
  const link = event.target.closest("#graph .node, #list a[data-id], #panel a[data-id]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  select(idOf(link), { enter: link.closest("#list") !== null || event.detail === 0 }); // by keyboard, or on a phone
});
document.getElementById("close-panel").addEventListener("click", close);
addEventListener("popstate", () => select(new URL(location.href).searchParams.get("id") || "", { remember: false }));

// Picture or list, as it was last; on phones the list at first.
function choose(name) {
  root.dataset.shown = name;
  for (const button of root.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === name));
  if (name === "list") fillList();
}

async function fillList() {
  show(list, await ask("/flow/list"));
  after();
}

for (const button of root.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    choose(button.dataset.view);
    try { localStorage.setItem("flow-view", button.dataset.view); } catch { /* not kept then */ }
  });
}
function kept() {
  try { return localStorage.getItem("flow-view"); } catch { return null; }
}

const search = new Search(root, {
  goTo(name) {
    const node = walk.byId.get(name);
    if (node) { walk.enter(node); view.reveal(node, { centre: true }); if (!isNarrow.matches) select(idOf(node)); }
    list.querySelector(`[data-row="${CSS.escape(name)}"]`)?.scrollIntoView({ block: "center" });
  },
  leave() { (nodeOf(selected) || graph.querySelector('.node[tabindex="0"]'))?.focus({ preventScroll: true }); },
});

// Draw again, and keep what people look at where it is: the selected node, or the one in the middle.
async function redraw() {
  const focused = graph.contains(document.activeElement) ? document.activeElement.dataset.id : "";
  const anchor = nodeOf(selected) || view.middle();
  const old = anchor && { id: anchor.dataset.id, ...place(anchor) };
  const [picture, rows] = await Promise.all([ask("/flow/graph"), isList() ? ask("/flow/list") : null]);
  show(graph, picture);
  if (rows !== null) show(list, rows);
  walk.take();
  const now = old && walk.byId.get(old.id);
  const at = now && place(now);
  view.take(at && { x: at.x - old.x, y: at.y - old.y });
  after();
  walk.byId.get(focused)?.focus({ preventScroll: true });
  if (selected && !nodeOf(selected) && walk.nodes.length) select("");
}

function after() {
  states.show();
  search.apply();
  mark();
}

const status = document.getElementById("flow-status");
const stop = document.getElementById("stop"), runAll = document.getElementById("run-all"), undo = document.getElementById("undo");
let running = [], trouble = "";

function tell() {
  const steps = Object.values(states.steps);
  const count = (name) => steps.filter((one) => one.state === name).length;
  const parts = ["running", "waiting", "failed", "invalid", "stale", "missing"].map((name) => [name, count(name)]).filter(([, number]) => number);
  const isFresh = steps.length > 0 && !parts.length && !count("checking");
  status.textContent = trouble || (isFresh ? "all up to date" : parts.map(([name, number]) => `${number} ${name}`).join(" · "));
  status.classList.toggle("mistake", Boolean(trouble));
  stop.hidden = !running.length;
  undo.disabled = !states.undoable;
  runAll.disabled = Boolean(trouble) || running.length > 0 || !steps.length;
}

const states = new States(root, {
  async changed() { shown.digest = states.digest; await redraw(); },
  running(builds) { running = builds; tell(); },
  silent(text) { trouble = text; tell(); },
});

document.addEventListener("flow-changed", async (event) => {
  await states.poll();
  const id = event.detail?.select;
  if (id) select(id); else if (selected) load(panel, `/panel?id=${encodeURIComponent(selected)}`);
});

// The toolbar.
async function doing(button, work) {
  button.disabled = true;
  try { await work(); } catch (refused) { notice(refused.message, { bad: true }); } finally { button.disabled = false; await states.poll(); tell(); }
}

undo.addEventListener("click", () => doing(undo, () => edit({ kind: "undo" })));
async function run(targets, force) { notice("It is started.", { command: (await post("/run", { targets, force })).command }); }

runAll.addEventListener("click", () => doing(runAll, () => run([], false)));
side.addEventListener("click", (event) => {
  const button = event.target.closest("[data-run]");
  if (button) doing(button, () => run(JSON.parse(button.dataset.run), button.dataset.force !== undefined));
});
stop.addEventListener("click", () => doing(stop, async () => { for (const id of running) notice((await post("/stop", { id })).said); }));
document.getElementById("add").addEventListener("click", async () => {
  select("", { adding: true });
  await load(panel, "/panel");
  panel.querySelector("h2")?.focus();
});

for (const button of root.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => ({ in: () => view.zoom(1.25), out: () => view.zoom(0.8), fit: () => view.fit() })[button.dataset.zoom]());
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  if (event.key === "+" || event.key === "=") view.zoom(1.25);
  else if (event.key === "-") view.zoom(0.8);
  else if (event.key === "0") view.fit();
  else if (event.key === "Escape" && !side.hidden) close();
  else return;
  event.preventDefault();
});

view.take();
choose(kept() || (isNarrow.matches ? "list" : "graph"));
select(new URL(location.href).searchParams.get("id") || "", { remember: false });
