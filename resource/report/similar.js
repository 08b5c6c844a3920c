const drawn = JSON.parse(document.getElementById("drawn").textContent);
const box = document.getElementById("sought"), list = document.getElementById("found"), said = document.getElementById("said");
const MOST = 24;

function figure(row, caption) {
  const item = document.createElement("figure"), frame = document.createElement("div");
  frame.className = "frame";
  if (drawn.thumbs[row]) {
    const image = document.createElement("img");
    image.src = drawn.thumbs[row];
    image.alt = drawn.names[row];
    frame.append(image);
  } else {
    frame.textContent = "picture not available";
  }
  const text = document.createElement("figcaption"), name = document.createElement("bdi");
  name.textContent = drawn.names[row];
  name.className = "file";
  text.append(caption, name);
  item.append(frame, text);
  return item;
}

function show() {
  const words = box.value.trim().toLowerCase();
  const fitting = drawn.neighbours.filter(([row]) => drawn.names[row].toLowerCase().includes(words));
  list.replaceChildren(...fitting.slice(0, MOST).map(([row, neighbours]) => {
    const item = document.createElement("li");
    item.append(figure(row, ""), ...neighbours.map(([other, similarity]) => figure(other, similarity.toFixed(2) + " ")));
    return item;
  }));
  const shown = Math.min(fitting.length, MOST);
  said.textContent = fitting.length > shown ? `The first ${shown} of ${fitting.length} pictures.` : `${shown} of ${drawn.neighbours.length} pictures.`;
}

box.addEventListener("input", show);
show();
