// What every page uses: asking the server, loading fragments, telling what happened.

/** Ask the server. Answers the JSON of a good answer, the text of a fragment, null for "nothing new". Throws Refused. */
export async function ask(address, { method = "GET", body } = {}) {
  const headers = { Accept: "application/json, text/html;q=0.9" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Refused(0, { mistakes: ["The server does not answer. Is `minihost ui` still running?"] });
  }
  if (response.status === 204) return null;
  const is_json = (response.headers.get("Content-Type") || "").includes("json");
  const answer = is_json ? await response.json() : await response.text();
  if (!response.ok) throw new Refused(response.status, is_json ? answer : { mistakes: [answer] });
  return answer;
}

/** An answer that is no success: `status` (0 without any answer) and the facts, with `mistakes` as sentences. */
export class Refused extends Error {
  constructor(status, facts) {
    super((facts.mistakes || ["The server refused."]).join("\n"));
    this.status = status;
    this.facts = facts;
  }
}

export const post = (address, body) => ask(address, { method: "POST", body });

/** Put a fragment of the server into an element, and begin what it holds. */
export async function load(element, address) {
  element.setAttribute("aria-busy", "true");
  try {
    show(element, await ask(address));
  } catch (refused) {
    element.replaceChildren(sentence(refused.message));
  } finally {
    element.removeAttribute("aria-busy");
  }
}

/** Show HTML that the server made, and tell the modules of the page. */
export function show(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  element.replaceChildren(template.content);
  begin(element);
}

/** Tell everybody about new content: listen to `fragment` on the document. Loads `data-load` elements. */
export function begin(element) {
  document.dispatchEvent(new CustomEvent("fragment", { detail: element }));
  for (const waiting of element.querySelectorAll("[data-load]")) {
    const address = waiting.dataset.load;
    waiting.removeAttribute("data-load");
    load(waiting, address);
  }
}

function sentence(text) {
  const paragraph = document.createElement("p");
  paragraph.className = "alarm";
  paragraph.textContent = text;
  return paragraph;
}

/** Say what was done, with the command line that does the same and a way back; or what went wrong. */
export function notice(text, { command = "", bad = false, undo = null, detail = "" } = {}) {
  const box = document.createElement("div");
  box.className = bad ? "bad" : "";
  box.append(Object.assign(document.createElement("span"), { className: "text", textContent: text }));
  const button = (name, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "button plain", textContent: name });
    made.addEventListener("click", () => { box.remove(); act(); });
    box.append(made);
  };
  if (undo) button("Undo", undo);
  button("Close", () => {});
  if (command) box.append(Object.assign(document.createElement("code"), { className: "command", textContent: command }));
  if (detail) box.append(Object.assign(document.createElement("pre"), { textContent: detail }));
  const place = document.getElementById("notices");
  place.append(box);
  while (place.children.length > (bad ? 2 : 1)) place.firstChild.remove();
  if (!bad) setTimeout(() => box.remove(), 9000);
}

if (new URLSearchParams(location.search).has("token")) {
  const address = new URL(location.href);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
begin(document);
