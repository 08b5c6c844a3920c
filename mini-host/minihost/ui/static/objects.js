// Pages of objects: the next pictures and rows as one scrolls, labels that come later, the large view of a picture.
import { ask, begin, notice, show } from "./page.js";

const EARLY = "800px"; // how far below the window the next page is fetched

/** Fetch the next page in place of its button. */
async function more(button) {
  if (button.disabled) return;
  button.disabled = true;
  const place = button.closest(".more");
  try {
    const template = document.createElement("template");
    template.innerHTML = await ask(button.dataset.more);
    watch(template.content);
    place.replaceWith(template.content);
  } catch (refused) {
    button.disabled = false;
    notice(refused.message, { bad: true });
  }
}

const nearing = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) more(entry.target);
}, { rootMargin: EARLY });

function watch(element) {
  for (const button of element.querySelectorAll("[data-more]")) nearing.observe(button);
  for (const picture of element.querySelectorAll(".tile img")) picture.addEventListener("error", () => broken(picture), { once: true });
}

/** A picture that the browser cannot show becomes a quiet tile. */
function broken(picture) {
  const blank = document.createElement("span");
  blank.className = "blank";
  blank.textContent = "cannot be shown as a picture";
  picture.closest(".tile").classList.add("quiet");
  picture.replaceWith(blank);
}

/** Labels have been read: every page of pictures that is shown without them is fetched again. */
async function label(grid) {
  if (grid.dataset.labels !== "0") return;
  grid.dataset.labels = "1";
  for (const sheet of [...grid.querySelectorAll(".sheet")]) {
    const template = document.createElement("template");
    template.innerHTML = await ask(sheet.dataset.address);
    const fresh = template.content.querySelector(".sheet");
    watch(fresh);
    sheet.replaceWith(fresh);
  }
}

/** The state of the step that made the object, as the flow page knows it. */
async function states() {
  const places = document.querySelectorAll(".state[data-step]");
  if (!places.length || document.hidden) return;
  const facts = await ask("/state").catch(() => null);
  if (!facts || !facts.steps) return;
  let waits = false;
  for (const place of places) {
    const found = facts.steps[place.dataset.step];
    waits ||= !found;
    if (!found) continue;
    place.className = `state ${found.state.replaceAll(" ", "-")}`;
    place.textContent = found.state;
    place.title = found.why || "";
  }
  setTimeout(states, waits ? 500 : 5000);
}

// The large view.
const dialog = document.querySelector("dialog.large");
let current = null;

function open(tile) {
  current = tile;
  const source = tile.querySelector("img");
  const picture = dialog.querySelector("img");
  picture.hidden = !source;
  picture.removeAttribute("src");
  if (source) picture.src = source.src;
  picture.alt = tile.dataset.name;
  const facts = dialog.querySelector(".facts");
  facts.textContent = tile.dataset.name;
  if (!dialog.open) dialog.showModal();
  ask(tile.dataset.rows).then((html) => current === tile && show(facts, html), (refused) => (facts.textContent = refused.message));
}

function move(by) {
  const tiles = [...document.querySelectorAll(".tile")];
  const next = tiles[tiles.indexOf(current) + by];
  if (next) open(next);
  if (tiles.indexOf(current) > tiles.length - 8) {
    const button = document.querySelector(".grid [data-more]");
    if (button) more(button);
  }
}

if (dialog) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      move(event.key === "ArrowRight" ? 1 : -1);
    }
  });
  dialog.addEventListener("click", (event) => {
    const by = event.target.closest("[data-move]");
    if (by) move(Number(by.dataset.move));
    else if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => current && current.focus());
}

document.addEventListener("click", async (event) => {
  const target = event.target.closest("[data-more], .tile, [data-copy], [data-text]");
  if (!target || (target.matches(".tile") && (event.ctrlKey || event.metaKey || event.shiftKey || event.button))) return;
  if (target.dataset.more) more(target);
  else if (target.dataset.copy) navigator.clipboard.writeText(target.dataset.copy).then(() => notice("Copied."), () => notice("The browser does not let pages copy.", { bad: true }));
  else if (target.dataset.text) read(target);
  else if (dialog) {
    event.preventDefault();
    open(target);
  }
});

/** Show the beginning of a text below its row, or take it away again. */
async function read(button) {
  const row = button.closest("tr");
  const old = row.nextElementSibling;
  if (old && old.matches(".reading")) return old.remove();
  const below = document.createElement("tr");
  below.className = "reading";
  const cell = below.insertCell();
  cell.colSpan = row.cells.length;
  row.after(below);
  try {
    show(cell, await ask(button.dataset.text));
  } catch (refused) {
    cell.textContent = refused.message;
  }
}

// Arrow keys walk over the grid.
document.addEventListener("keydown", (event) => {
  const tile = event.target.closest(".tile");
  const steps = { ArrowRight: 1, ArrowLeft: -1 };
  if (!tile || (dialog && dialog.open) || !(event.key in steps)) return;
  const tiles = [...document.querySelectorAll(".tile")];
  const next = tiles[tiles.indexOf(tile) + steps[event.key]];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches(".filters select")) event.target.form.requestSubmit();
});

// Pictures were added: everything is shown anew but the place where they were dropped, which says how many.
document.addEventListener("flow-changed", async () => {
  const page = document.querySelector(".page"), kept = ".drop, dialog.large";
  const fresh = new DOMParser().parseFromString(await ask(location.href), "text/html").querySelector(".page");
  page.replaceChildren(...[...fresh.children].map((one) => (one.matches(kept) && page.querySelector(`:scope > ${one.localName}.${one.classList[0]}`)) || one));
  begin(page);
  states();
});

document.addEventListener("fragment", (event) => {
  watch(event.detail);
  if (event.detail.querySelector("[data-ready]")) for (const grid of document.querySelectorAll(".grid")) label(grid);
});
watch(document);
states();
