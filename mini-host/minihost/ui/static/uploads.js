// A folder that is dropped or chosen: its files go to the server one by one, four at a time.
import { ask, post, notice, Refused } from "./page.js";
import { tell } from "./edits.js";

const LARGEST = 20_000_000;
const AT_ONCE = 4;

document.addEventListener("dragover", (event) => {
  const place = event.target.closest("[data-drop]");
  if (!place) return;
  event.preventDefault();
  place.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  const place = event.target.closest("[data-drop]");
  if (place && !place.contains(event.relatedTarget)) place.classList.remove("over");
});
document.addEventListener("drop", async (event) => {
  const place = event.target.closest("[data-drop]");
  if (!place) return;
  event.preventDefault();
  place.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  for (const entry of entries) await gather(entry, "", files);
  await send(place, files);
});
document.addEventListener("change", async (event) => {
  if (!event.target.matches("[data-choose]")) return;
  const files = [...event.target.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  await send(event.target.closest("[data-drop]"), files);
  event.target.value = "";
});

/** The files of a dropped entry with their paths, folder by folder; `readEntries` hands out a hundred at a time. */
async function gather(entry, above, files) {
  const path = above + entry.name;
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    files.push({ path, file: await new Promise((done, failed) => entry.file(done, failed)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) await gather(one, `${path}/`, files);
  }
}

async function send(place, all) {
  const files = all.filter(({ path, file }) => file.size <= LARGEST && !path.split("/").some((part) => part.startsWith(".")));
  const progress = place.querySelector("[data-progress]");
  const say = (text) => { progress.textContent = text; };
  if (!files.length) return say("There are no files in it that can be added.");
  const tops = new Set(files.map(({ path }) => path.split("/")[0]));
  const { into, under = "" } = place.dataset;
  const isOneFolder = tops.size === 1 && files.every(({ path }) => path.includes("/"));
  const isWrapped = isOneFolder && (into === undefined || files.every(({ path }) => path.split("/").length > 2)); // a label's folder keeps its name
  const within = (path) => under + (isWrapped ? path.slice(path.indexOf("/") + 1) : path);
  place.setAttribute("aria-busy", "true");
  try {
    const { id } = await post("/upload/begin", {});
    let done = 0;
    const waiting = files.map(({ path, file }) => ({ path: within(path), file }));
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        await put(`/upload?id=${id}&path=${encodeURIComponent(next.path)}`, next.file);
        say(`${++done} of ${files.length} files`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const name = isOneFolder ? [...tops][0] : "pictures";
    const answer = await tell(() => post("/upload/end", into === undefined ? { id, name } : { id, into }));
    const left = all.length - files.length;
    say(answer ? `${files.length} files added.${left ? ` ${left} were left out: hidden, or larger than 20 MB. Name the folder by its path to use all of it.` : ""}` : "");
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    say("");
    notice(refused.message, { bad: true });
  } finally {
    place.removeAttribute("aria-busy");
  }
}

async function put(address, file) {
  let response;
  try {
    response = await fetch(address, { method: "PUT", body: file, headers: { Accept: "application/json" }, credentials: "same-origin" });
  } catch {
    return ask(address); // says that the server does not answer
  }
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
}
