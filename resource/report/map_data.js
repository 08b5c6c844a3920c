// What the page holds: points, columns and thumbnails, unpacked.
const $ = (id) => document.getElementById(id);
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const arrayOf = (text, Kind) => new Kind(bytesOf(text).buffer);

const data = JSON.parse($("data").textContent);
$("data").remove();
const paths = data.paths, count = paths.length;
const X = Float32Array.from(arrayOf(data.x, Uint16Array), (value) => value / 32767.5 - 1);
const Y = Float32Array.from(arrayOf(data.y, Uint16Array), (value) => 1 - value / 32767.5);
const clusterOf = arrayOf(data.cluster, Uint16Array);
const columns = data.columns.map((column) => {
  const cells = column.kind === "text" ? column.cells : arrayOf(column.cells, column.kind === "number" ? Float64Array : Uint16Array);
  return { name: column.name, kind: column.kind, cells, values: column.values ? ["", ...column.values] : [] };
});
const textOf = (column, row) => {
  const cell = column.cells[row];
  if (column.kind === "category") return column.values[cell];
  if (column.kind === "number") return Number.isNaN(cell) ? "" : String(cell);
  return cell;
};

// A name for the eye: no character that turns or hides text.
const shownText = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, "\ufffd");
const short = (text, most) => { const shown = shownText(text); return shown.length <= most ? shown : shown.slice(0, most / 2 - 1) + "…" + shown.slice(-most / 2); };
const fileName = (path) => path.slice(path.lastIndexOf("/") + 1);
const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// Thumbnails: tile t lies in atlas ⌊t / perRow²⌋; tileOf gives that of a picture, or -1.
const side = data.thumbnails.side, perRow = data.thumbnails.perRow;
const tileRows = arrayOf(data.thumbnails.rows, Uint32Array), tileSizes = bytesOf(data.thumbnails.sizes);
const tileOf = new Int32Array(count).fill(-1);
tileRows.forEach((row, tile) => { tileOf[row] = tile; });
const atlases = [];
const loadAtlases = async (whenOne) => {
  const holders = [...document.querySelectorAll("script.atlas")];
  for (const [place, holder] of holders.entries()) {
    const blob = new Blob([bytesOf(holder.textContent)], { type: "image/webp" });
    holder.remove();
    atlases[place] = await createImageBitmap(blob);
    whenOne();
  }
};
const drawTile = (context, row, left, top, width, height) => {
  const tile = tileOf[row];
  const atlas = tile < 0 ? undefined : atlases[Math.floor(tile / (perRow * perRow))];
  if (!atlas) return false;
  const place = tile % (perRow * perRow);
  context.drawImage(atlas, (place % perRow) * side, Math.floor(place / perRow) * side, tileSizes[2 * tile], tileSizes[2 * tile + 1], left, top, width, height);
  return true;
};
// A canvas with the thumbnail of a picture inside a square, or null; cover fills the square.
const thumbnail = (row, edge, cover) => {
  const tile = tileOf[row];
  if (tile < 0) return null;
  const canvas = document.createElement("canvas"), ratio = window.devicePixelRatio || 1;
  const [wide, high] = [tileSizes[2 * tile], tileSizes[2 * tile + 1]];
  const scale = (cover ? edge / Math.min(wide, high) : edge / Math.max(wide, high)) * ratio;
  const [width, height] = [wide * scale, high * scale];
  canvas.width = cover ? edge * ratio : Math.max(1, Math.round(width));
  canvas.height = cover ? edge * ratio : Math.max(1, Math.round(height));
  canvas.style.width = `${canvas.width / ratio}px`;
  canvas.style.height = `${canvas.height / ratio}px`;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  drawTile(context, row, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
  return canvas;
};
