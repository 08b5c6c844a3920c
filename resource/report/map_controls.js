// Colours, search, selection, and what mouse, fingers and keys do.
const byName = new Map(columns.map((column) => [column.name, column]));
const coloured = columns.filter((column) => column.kind !== "text");
const selected = new Set();
let column = coloured[0], kept = new Set(), range = [-Infinity, Infinity], words = "", tool = "move", shown = [];
const haystack = paths.map((path, row) => [path, ...columns.filter((one) => one.kind !== "number").map((one) => textOf(one, row))].join("\n").toLowerCase());

// On the map each cluster has a colour that those around it do not have; other columns have ten colours, then grey.
const clusterColours = () => {
  const chosen = [];
  middles.forEach((cluster, number) => {
    const near = middles.slice(0, number).map((other, place) => [Math.hypot(other.x - cluster.x, other.y - cluster.y), chosen[place]]).sort((one, other) => one[0] - other[0]);
    const taken = near.slice(0, 9).map((one) => one[1]), free = [...Array(10).keys()].filter((one) => !taken.includes(one));
    chosen.push(number < 10 ? number : free[number % free.length]);
  });
  return new Map(middles.map((cluster, number) => [cluster.name, chosen[number]]));
};
const ownColours = clusterColours();
const colourOfValue = (code) => {
  if (!code) return theme.none;
  if (column.name === "cluster_name") return ownColours.has(column.values[code]) ? theme.palette[ownColours.get(column.values[code])] : theme.none;
  return code <= 10 ? theme.palette[code - 1] : theme.none;
};
let bounds = [0, 1];
const findBounds = () => {
  const sorted = Float64Array.from(column.cells).filter((value) => !Number.isNaN(value)).sort();
  bounds = [sorted[Math.floor(0.02 * (sorted.length - 1))], sorted[Math.ceil(0.98 * (sorted.length - 1))]];
};
const colourOfNumber = (value) => {
  if (Number.isNaN(value)) return theme.none;
  const place = 4 * Math.min(1, Math.max(0, (value - bounds[0]) / (bounds[1] - bounds[0] || 1))), from = Math.min(3, Math.floor(place));
  return mixed(theme.ramp[from + 1], theme.ramp[from], place - from);
};
const passes = (row) => {
  if (words && !haystack[row].includes(words)) return false;
  if (!column) return true;
  const cell = column.cells[row];
  if (column.kind === "category") return !kept.size || kept.has(cell);
  const open = range[0] === -Infinity && range[1] === Infinity;
  return open || (cell >= range[0] && cell <= range[1]);
};
const update = () => {
  const buckets = [[], [], []];
  shown = [];
  for (let row = 0; row < count; row++) {
    const passed = passes(row), colour = !column ? theme.palette[0] : column.kind === "category" ? colourOfValue(column.cells[row]) : colourOfNumber(column.cells[row]);
    states[row] = selected.has(row) ? SELECTED : passed ? PLAIN : DIM;
    colours[row] = states[row] === DIM ? mixed(colour, theme.paper, 0.14) : colour;
    buckets[states[row]].push(row);
    if (passed) shown.push(row);
  }
  order = Uint32Array.from(buckets.flat());
  const filtered = shown.length < count;
  $("shown").textContent = filtered ? `${counted(shown.length, "picture")} of ${count.toLocaleString("en")} shown in colour` : "";
  $("select-shown").textContent = filtered ? `Select these ${shown.length.toLocaleString("en")}` : "Select all";
  $("select-shown").disabled = !shown.length;
  redraw();
};

const element = (tag, attributes, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) name === "style" ? made.style.setProperty("--mark", value) : made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
};
const drawLegend = () => {
  const legend = $("legend");
  legend.replaceChildren();
  if (!column) return;
  if (column.kind === "number") {
    const number = (id, text) => { const input = element("input", { type: "number", step: "any", id }); input.addEventListener("input", () => { range = [$("from").value === "" ? -Infinity : +$("from").value, $("to").value === "" ? Infinity : +$("to").value]; update(); }); return element("label", {}, text, input); };
    const written = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });
    legend.append(element("div", { class: "ramp" }), element("div", { class: "ends" }, element("span", {}, written(bounds[0])), element("span", {}, written(bounds[1]))), element("div", { class: "between" }, number("from", "From"), number("to", "To")));
    return;
  }
  const counts = new Uint32Array(column.values.length);
  column.cells.forEach((code) => counts[code]++);
  const list = element("ul", { class: "legend", "aria-label": `Values of ${column.name}; choose some to show only these` });
  const codes = [...counts.keys()].filter((code) => code && counts[code]).slice(0, 300);
  if (counts[0]) codes.push(0);
  const none = codes.findIndex((code) => code && column.name === "cluster_name" && !ownColours.has(column.values[code]));
  if (none >= 0) codes.push(...codes.splice(none, 1));
  for (const code of codes) {
    const button = element("button", { type: "button", "aria-pressed": "false" }, element("i", { style: css(colourOfValue(code)) }), element("span", {}, code ? short(column.values[code], 60) : "(empty)"), element("small", {}, counts[code].toLocaleString("en")));
    button.addEventListener("click", () => { kept.has(code) ? kept.delete(code) : kept.add(code); button.setAttribute("aria-pressed", kept.has(code)); update(); });
    list.append(element("li", {}, button));
  }
  legend.append(list);
};
const colourBy = (name) => { column = byName.get(name); kept = new Set(); range = [-Infinity, Infinity]; if (column && column.kind === "number") findBounds(); drawLegend(); update(); };

// The selection, and its file.
const STRIP = 24;
const select = (rows, how = "replace") => {
  if (how === "replace") selected.clear();
  rows.forEach((row) => (how === "less" ? selected.delete(row) : selected.add(row)));
  showSelection();
  update();
};
const showSelection = () => {
  $("selected").textContent = selected.size ? `${counted(selected.size, "picture")} selected.` : "Nothing yet: draw a lasso or a rectangle, or search and select what is found.";
  $("export").hidden = !selected.size;
  $("text").hidden = true;
  const few = [...selected].slice(0, STRIP).filter((row) => tileOf[row] >= 0);
  $("strip").replaceChildren(...few.map((row) => {
    const button = element("button", { type: "button", "aria-label": short(fileName(paths[row]), 60) }, thumbnail(row, 48, true));
    button.addEventListener("click", () => open(row));
    return element("li", {}, button);
  }));
};
const quoted = (text) => (/[",\n\r]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
// A spreadsheet would compute a cell that begins so; an apostrophe keeps it text. Numbers stay as they are.
const safe = (text) => (/^[=+\-@\t\r]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? `'${text}` : text);
const asPath = (path) => (path.startsWith("/") ? path : `/${path}`);
const makeCsv = () => {
  const chosen = [...document.querySelectorAll("#export-columns input:checked")].map((box) => byName.get(box.value));
  const lines = [["images", ...chosen.map((one) => safe(one.name))]];
  for (const row of [...selected].sort((one, other) => one - other)) lines.push([asPath(paths[row]), ...chosen.map((one) => safe(textOf(one, row)))]);
  return lines.map((cells) => cells.map(quoted).join(",") + "\r\n").join("");
};
const download = () => {
  const link = element("a", { download: "selected-pictures.csv" });
  link.href = URL.createObjectURL(new Blob([makeCsv()], { type: "text/csv;charset=utf-8" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

// One picture: what it is.
const open = (row) => {
  focused = row;
  const facts = element("dl", { class: "facts" }, element("dt", {}, "path"), element("dd", {}, shownText(paths[row])));
  for (const one of columns) facts.append(element("dt", {}, shownText(one.name)), element("dd", {}, short(textOf(one, row), 400) || "–"));
  const toggle = element("button", { type: "button" }, selected.has(row) ? "Take out of the selection" : "Add to the selection");
  toggle.addEventListener("click", () => { select([row], selected.has(row) ? "less" : "more"); open(row); });
  $("picture").replaceChildren(...[thumbnail(row, 200), facts, element("p", {}, toggle)].filter((one) => one));
  $("details").hidden = false;
  redraw();
};
const nearest = (left, top, reach) => {
  let best = -1, least = reach * reach;
  for (let row = 0; row < count; row++) {
    const distance = (screenX(X[row]) - left) ** 2 + (screenY(Y[row]) - top) ** 2;
    if (distance < least && (states[row] !== DIM || least === Infinity)) { best = row; least = distance; }
  }
  return best;
};
const hover = $("hover");
let hovered = -1;
const showHover = (row, left, top) => {
  hover.hidden = row < 0;
  if (row < 0) { hovered = -1; return; }
  if (row !== hovered) {
    hovered = row;
    const cluster = clusterOf[row] ? data.clusters[clusterOf[row] - 1] : "", value = column && column.name !== "cluster_name" ? textOf(column, row) : "";
    hover.replaceChildren(...[thumbnail(row, 132), element("b", {}, short(fileName(paths[row]), 60)), cluster ? element("span", {}, short(cluster, 60)) : null, value ? element("span", {}, `${short(column.name, 30)}: ${short(value, 60)}`) : null].filter((one) => one));
  }
  const box = plane.getBoundingClientRect(), wide = hover.offsetWidth, high = hover.offsetHeight;
  hover.style.left = `${Math.max(4, left + 16 + wide > box.width ? left - wide - 16 : left + 16)}px`;
  hover.style.top = `${Math.max(4, Math.min(top + 16, box.height - high - 4))}px`;
};

// Mouse and fingers.
const fingers = new Map();
let dragged = 0, last = null, startedAt = null;
const at = (event) => { const box = canvas.getBoundingClientRect(); return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio]; };
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, at(event));
  dragged = 0;
  last = startedAt = at(event);
  showHover(-1);
  if (fingers.size > 1) outline = null;
  else if (tool !== "move" || event.shiftKey) outline = [[planeX(last[0]), planeY(last[1])]];
  else plane.classList.add("moving");
});
canvas.addEventListener("pointermove", (event) => {
  const here = at(event);
  if (!fingers.has(event.pointerId)) { if (event.pointerType === "mouse") showHover(nearest(...here, 14 * ratio), here[0] / ratio, here[1] / ratio); return; }
  const before = fingers.get(event.pointerId);
  fingers.set(event.pointerId, here);
  dragged += Math.hypot(here[0] - before[0], here[1] - before[1]);
  if (fingers.size === 2) {
    const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const gap = (place) => Math.max(10, Math.hypot(place[0] - other[0], place[1] - other[1]));
    pan((here[0] - before[0]) / 2, (here[1] - before[1]) / 2);
    zoom(gap(here) / gap(before), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
  } else if (outline) {
    const [x, y] = [planeX(here[0]), planeY(here[1])], [x0, y0] = [planeX(startedAt[0]), planeY(startedAt[1])];
    if (tool === "rectangle" || (tool === "move" && event.shiftKey)) outline = [[x0, y0], [x, y0], [x, y], [x0, y]];
    else outline.push([x, y]);
    redraw();
  } else if (fingers.size === 1) pan(here[0] - before[0], here[1] - before[1]);
});
const inside = (row, points) => {
  let odd = false;
  for (let one = 0, other = points.length - 1; one < points.length; other = one++) {
    const [x1, y1] = points[one], [x2, y2] = points[other];
    if (y1 > Y[row] !== y2 > Y[row] && X[row] < ((x2 - x1) * (Y[row] - y1)) / (y2 - y1) + x1) odd = !odd;
  }
  return odd;
};
const lift = (event) => {
  if (!fingers.delete(event.pointerId)) return;
  plane.classList.remove("moving");
  const points = outline;
  outline = null;
  if (event.type === "pointercancel" || fingers.size) { redraw(); return; }
  if (dragged < 6 * ratio) {
    const row = nearest(...at(event), (event.pointerType === "touch" ? 24 : 14) * ratio);
    if (row >= 0) open(row);
    if (event.pointerType === "touch") showHover(row, at(event)[0] / ratio, at(event)[1] / ratio);
    redraw();
  } else if (points) {
    const rows = [...Array(count).keys()].filter((row) => passes(row) && inside(row, points));
    select(rows, event.altKey ? "less" : event.shiftKey && tool !== "move" ? "more" : "replace");
  }
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") showHover(-1); });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  showHover(-1);
  const lines = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
  zoom(Math.exp(-Math.min(300, Math.max(-300, lines)) * (event.ctrlKey ? 0.01 : 0.0022)), ...at(event));
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(2, ...at(event)));

// Keys and buttons.
const choose = (name) => {
  tool = name;
  plane.classList.toggle("lasso", name === "lasso");
  plane.classList.toggle("rectangle", name === "rectangle");
  document.querySelectorAll("[data-tool]").forEach((button) => button.setAttribute("aria-pressed", button.dataset.tool === name));
};
const zooms = { in: () => zoom(1.6), out: () => zoom(1 / 1.6), all: showAll };
const KEYS = { ArrowLeft: () => pan(60 * ratio, 0), ArrowRight: () => pan(-60 * ratio, 0), ArrowUp: () => pan(0, 60 * ratio), ArrowDown: () => pan(0, -60 * ratio), "+": zooms.in, "=": zooms.in, "-": zooms.out, 0: showAll, l: () => choose("lasso"), r: () => choose("rectangle"), m: () => choose("move"), Enter: () => { const row = nearest(width / 2, height / 2, Infinity); if (row >= 0) open(row); }, Escape: () => select([]) };
canvas.addEventListener("keydown", (event) => {
  const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action) { event.preventDefault(); action(); }
});
document.querySelectorAll("[data-tool]").forEach((button) => button.addEventListener("click", () => choose(button.dataset.tool)));
document.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", zooms[button.dataset.zoom]));
document.querySelectorAll("[data-show]").forEach((button) => button.addEventListener("click", () => {
  pictures = button.dataset.show === "pictures";
  document.querySelectorAll("[data-show]").forEach((one) => one.setAttribute("aria-pressed", one === button));
  redraw();
}));
$("colour-by").append(...(coloured.length ? coloured.map((one) => element("option", { value: one.name }, short(one.name, 50))) : [element("option", {}, "nothing: no columns")]));
$("colour-by").addEventListener("change", () => colourBy($("colour-by").value));
$("search").addEventListener("input", () => { words = $("search").value.trim().toLowerCase(); update(); });
$("select-shown").addEventListener("click", () => select(shown));
$("download").addEventListener("click", download);
$("download").hidden = window.parent !== window && window.origin === "null"; // a sandboxed frame cannot save files
$("as-text").addEventListener("click", () => { const text = $("text"); text.hidden = !text.hidden; text.value = makeCsv(); if (!text.hidden) text.select(); });
$("clear").addEventListener("click", () => select([]));
$("export-columns").append(...columns.map((one) => {
  const box = element("input", { type: "checkbox", value: one.name });
  box.checked = one.kind !== "text";
  return element("label", {}, box, element("span", {}, short(one.name, 50)));
}));

readTheme();
findRoom();
colourBy(coloured.length ? coloured[0].name : "");
showSelection();
new ResizeObserver(resize).observe(plane);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readTheme(); drawLegend(); update(); });
$("loading").remove();
loadAtlases(redraw);
