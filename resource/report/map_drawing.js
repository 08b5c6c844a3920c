// Drawing: dots go straight into the pixels, which is faster than any other way without a graphics card; thumbnails and
// names go over them.
const plane = $("plane"), canvas = $("canvas"), context = canvas.getContext("2d", { alpha: false });
const camera = { x: 0, y: 0, scale: 1 };
let ratio = 1, width = 1, height = 1, image = null, pixels = null, fitScale = 1, pending = false, moving = 0;
let theme = {}, pictures = side > 0, outline = null, focused = -1;
const colours = new Uint32Array(count), states = new Uint8Array(count);
const DIM = 0, PLAIN = 1, SELECTED = 2;
let order = new Uint32Array(count);

const paint = (css) => { const value = parseInt(css.trim().slice(1), 16); return (((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0; };
const css = (colour) => `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
const mixed = (one, other, part) => {
  let result = 0;
  for (const shift of [0, 8, 16]) result |= Math.round(((one >> shift) & 255) * part + ((other >> shift) & 255) * (1 - part)) << shift;
  return result >>> 0;
};
const readTheme = () => {
  const style = getComputedStyle(document.documentElement), token = (name) => style.getPropertyValue(`--${name}`).trim();
  const hex = (name) => { const value = token(name); return paint(value.length === 4 ? "#" + [...value.slice(1)].map((letter) => letter + letter).join("") : value); };
  theme = { paper: hex("paper"), ink: hex("ink"), none: hex("none"), good: hex("good"), palette: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => hex(`c${number}`)), ramp: [1, 2, 3, 4, 5].map((number) => hex(`ramp-${number}`)) };
  labels.clear();
};

const screenX = (x) => width / 2 + (x - camera.x) * camera.scale;
const screenY = (y) => height / 2 + (y - camera.y) * camera.scale;
const planeX = (left) => camera.x + (left - width / 2) / camera.scale;
const planeY = (top) => camera.y + (top - height / 2) / camera.scale;
const resize = () => {
  const box = plane.getBoundingClientRect(), first = !image, before = fitScale;
  ratio = Math.min(window.devicePixelRatio || 1, 2);
  width = Math.max(1, Math.round(box.width * ratio));
  height = Math.max(1, Math.round(box.height * ratio));
  canvas.width = width;
  canvas.height = height;
  image = context.createImageData(width, height);
  pixels = new Uint32Array(image.data.buffer);
  fitScale = fitted();
  camera.scale = first ? fitScale : camera.scale * (fitScale / before);
  redraw();
};
const extent = { x: 1e-6, y: 1e-6 };
for (let row = 0; row < count; row++) { extent.x = Math.max(extent.x, Math.abs(X[row])); extent.y = Math.max(extent.y, Math.abs(Y[row])); }
const margins = () => 0.07 * Math.min(width, height) + 14 * ratio;
const fitted = () => Math.min((width / 2 - margins()) / Math.max(extent.x, 0.05), (height / 2 - margins() - 18 * ratio) / Math.max(extent.y, 0.05));

// The zoom from which each picture has room beside those before it in line, as for names on a map.
const STEP = Math.SQRT2, ROOM = 46;
const roomFrom = new Uint8Array(count).fill(255);
const drawnOrder = [];
const findRoom = () => {
  const first = new Set(data.representatives.filter((row) => tileOf[row] >= 0));
  const line = [...first, ...[...tileRows.keys()].map((place) => tileRows[(place * 7919) % tileRows.length]).filter((row) => !first.has(row))];
  let waiting = [...new Set(line)];
  const nominal = 380, placed = [];
  for (let level = 0; level < 24 && waiting.length; level++) {
    const cell = ROOM / (nominal * STEP ** level), grid = new Map(), next = [];
    const key = (x, y) => Math.floor(x / cell) * 1048576 + Math.floor(y / cell);
    const free = (row) => {
      for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) for (const other of grid.get(key(X[row] + dx * cell, Y[row] + dy * cell)) || []) if (Math.abs(X[other] - X[row]) < cell && Math.abs(Y[other] - Y[row]) < cell) return false;
      return true;
    };
    const put = (row) => { const name = key(X[row], Y[row]); grid.has(name) ? grid.get(name).push(row) : grid.set(name, [row]); };
    placed.forEach(put);
    for (const row of waiting) if (free(row)) { put(row); placed.push(row); roomFrom[row] = level; } else next.push(row);
    waiting = next;
  }
  waiting.forEach((row) => { roomFrom[row] = 24; placed.push(row); });
  drawnOrder.push(...placed);
  fullLevel = placed.length ? Math.min(22, roomFrom[placed[Math.floor(0.8 * (placed.length - 1))]]) : 0;
};
let fullLevel = 0;
// From far there are dots, and a picture for each cluster; from near all pictures that have room.
const isNear = () => tileRows.length <= 300 || camera.scale > 1.7 * fitScale;
const levelNow = () => Math.floor(Math.log(camera.scale / ratio / 380) / Math.log(STEP) + 1e-6);

// A dot: how much of each pixel it covers, from 0 to 256.
const dots = new Map();
const dotOf = (radius) => {
  if (!dots.has(radius)) {
    const reach = Math.ceil(radius), across = 2 * reach + 1, covers = new Uint16Array(across * across);
    for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) covers[(y + reach) * across + x + reach] = Math.round(256 * Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y))));
    dots.set(radius, { reach, across, covers });
  }
  return dots.get(radius);
};
const radiusNow = () => {
  const base = count > 40000 ? 1.2 : count > 8000 ? 1.9 : count > 1500 ? 2.6 : count > 300 ? 3.4 : 4.5;
  return Math.round(2 * ratio * Math.min(6, base * Math.min(2.6, (camera.scale / fitScale) ** 0.35))) / 2;
};
const drawDot = (row, dot, colour) => {
  const left = Math.round(screenX(X[row])) - dot.reach, top = Math.round(screenY(Y[row])) - dot.reach;
  if (left < 0 || top < 0 || left + dot.across > width || top + dot.across > height) return;
  const redBlue = colour & 0xff00ff, green = colour & 0xff00, covers = dot.covers;
  for (let y = 0, from = 0; y < dot.across; y++) {
    let place = (top + y) * width + left;
    for (let x = 0; x < dot.across; x++, from++, place++) {
      const part = covers[from];
      if (part === 0) continue;
      if (part === 256) { pixels[place] = colour | 0xff000000; continue; }
      const under = pixels[place], rest = 256 - part;
      pixels[place] = 0xff000000 | (((redBlue * part + (under & 0xff00ff) * rest) >>> 8) & 0xff00ff) | (((green * part + (under & 0xff00) * rest) >>> 8) & 0xff00);
    }
  }
};

const redraw = () => { if (!pending) { pending = true; requestAnimationFrame(draw); } };
const draw = () => {
  pending = false;
  if (!image) return;
  const small = dotOf(radiusNow()), large = dotOf(radiusNow() + ratio), rim = dotOf(radiusNow() + 2 * ratio);
  pixels.fill(theme.paper | 0xff000000);
  const ink = theme.ink;
  for (let place = 0; place < count; place++) {
    const row = order[place];
    if (states[row] === SELECTED) { drawDot(row, rim, ink); drawDot(row, large, colours[row]); } else drawDot(row, small, colours[row]);
  }
  context.putImageData(image, 0, 0);
  if (pictures && isNear()) drawPictures();
  drawNames();
  if (focused >= 0) drawFocus();
  if (outline) drawOutline();
};
// Thumbnails grow once most of them have room.
const edgeNow = () => ROOM * (width < 500 * ratio ? 0.7 : 0.86) * ratio * Math.min(Math.max(1, (camera.scale / ratio / (380 * STEP ** fullLevel)) ** 0.8), Math.max(1, (1.3 * side) / ROOM));
const shownHigh = (row) => { const tile = tileOf[row]; return (edgeNow() * tileSizes[2 * tile + 1]) / Math.max(tileSizes[2 * tile], tileSizes[2 * tile + 1]); };
const drawPicture = (row, x, y, edge) => {
  const tile = tileOf[row], scale = edge / Math.max(tileSizes[2 * tile], tileSizes[2 * tile + 1]);
  const wide = Math.round(tileSizes[2 * tile] * scale), high = Math.round(tileSizes[2 * tile + 1] * scale), rim = (states[row] === SELECTED ? 3.5 : 2) * ratio;
  const left = Math.round(x - wide / 2), top = Math.round(y - high / 2);
  if (!atlases[Math.floor(tile / (perRow * perRow))]) return;
  context.fillStyle = css(states[row] === SELECTED ? theme.ink : colours[row]);
  context.fillRect(left - rim, top - rim, wide + 2 * rim, high + 2 * rim);
  drawTile(context, row, left, top, wide, high);
};
const drawPictures = () => {
  const level = levelNow(), edge = edgeNow();
  context.imageSmoothingQuality = performance.now() - moving < 150 ? "low" : "medium";
  let drawn = 0;
  for (let place = drawnOrder.length - 1; place >= 0; place--) {
    const row = drawnOrder[place];
    if (roomFrom[row] > level) continue;
    const x = screenX(X[row]), y = screenY(Y[row]);
    if (x < -edge || y < -edge || x > width + edge || y > height + edge || states[row] === DIM || tileOf[row] < 0) continue;
    drawPicture(row, x, y, edge);
    if (++drawn > 1500) break;
  }
};

// Names of clusters, each drawn once into a picture of its own.
const labels = new Map();
const middles = data.clusters.map((name, number) => {
  const row = data.representatives[number];
  return { name, row, x: X[row], y: Y[row] };
});
const labelOf = (cluster) => {
  const name = cluster.name;
  if (!labels.has(name)) {
    const sprite = document.createElement("canvas"), pen = sprite.getContext("2d"), text = short(name, 36);
    const font = `600 ${13 * ratio}px system-ui, -apple-system, "Segoe UI", sans-serif`;
    pen.font = font;
    sprite.width = Math.ceil(pen.measureText(text).width + 14 * ratio);
    sprite.height = Math.ceil(22 * ratio);
    pen.font = font;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = css(theme.paper);
    pen.globalAlpha = 0.86;
    pen.beginPath();
    pen.roundRect(0, 0, sprite.width, sprite.height, 6 * ratio);
    pen.fill();
    pen.globalAlpha = 1;
    pen.fillStyle = css(theme.ink);
    pen.fillText(text, sprite.width / 2, sprite.height / 2 + ratio / 2);
    labels.set(name, sprite);
  }
  return labels.get(name);
};
const drawNames = () => {
  const taken = [], far = pictures && !isNear(), edge = edgeNow();
  for (const cluster of middles) {
    const sprite = labelOf(cluster), pictured = pictures && tileOf[cluster.row] >= 0, half = pictured ? shownHigh(cluster.row) / 2 : 0;
    const x = Math.round(screenX(cluster.x)), y = Math.round(screenY(cluster.y));
    const shown = far && pictured && states[cluster.row] !== DIM, start = pictured ? half + 4 * ratio : -sprite.height / 2;
    const isFree = (box) => box[0] < width && box[1] < height && box[2] > 0 && box[3] > 0 && !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
    const across = Math.max(sprite.width, edge) / 2, whole = [x - across, y - half, x + across, y + start + sprite.height];
    const alone = [x - sprite.width / 2, y + start, x + sprite.width / 2, y + start + sprite.height], withPicture = shown && isFree(whole);
    if (!withPicture && !isFree(alone)) continue;
    const box = withPicture ? whole : alone;
    taken.push([box[0] - 4, box[1] - 4, box[2] + 4, box[3] + 4]);
    if (withPicture) drawPicture(cluster.row, x, y, edge);
    context.drawImage(sprite, Math.round(x - sprite.width / 2), Math.round(y + start));
  }
};
const drawFocus = () => {
  context.lineWidth = 3 * ratio;
  context.strokeStyle = css(theme.ink);
  context.beginPath();
  context.arc(screenX(X[focused]), screenY(Y[focused]), 11 * ratio, 0, 2 * Math.PI);
  context.stroke();
};
const drawOutline = () => {
  context.lineWidth = 2 * ratio;
  context.strokeStyle = css(theme.good);
  context.beginPath();
  outline.forEach(([x, y]) => context.lineTo(screenX(x), screenY(y)));
  context.closePath();
  context.stroke();
  context.globalAlpha = 0.12;
  context.fillStyle = css(theme.good);
  context.fill();
  context.globalAlpha = 1;
};
const keepInside = () => {
  camera.scale = Math.min(Math.max(camera.scale, fitScale * 0.5), fitScale * 3000);
  camera.x = Math.min(Math.max(camera.x, -1.2), 1.2);
  camera.y = Math.min(Math.max(camera.y, -1.2), 1.2);
};
const zoom = (factor, left = width / 2, top = height / 2) => {
  const x = planeX(left), y = planeY(top);
  camera.scale *= factor;
  keepInside();
  camera.x = x - (left - width / 2) / camera.scale;
  camera.y = y - (top - height / 2) / camera.scale;
  moved();
};
const pan = (dx, dy) => { camera.x -= dx / camera.scale; camera.y -= dy / camera.scale; moved(); };
const showAll = () => { camera.x = camera.y = 0; camera.scale = fitScale; moved(); };
let settled = 0;
const moved = () => { keepInside(); moving = performance.now(); clearTimeout(settled); settled = setTimeout(redraw, 180); redraw(); };
