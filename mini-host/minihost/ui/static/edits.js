// Changes of the flow: each is one request, and the answer says which command line does the same.
import { post, notice, load, show, Refused } from "./page.js";

/** The version of flow.yaml that the page shows. */
export const shown = { get digest() { return document.body.dataset.digest || ""; }, set digest(value) { document.body.dataset.digest = value; } };

/** Send a change. Answers what the server said, or null after telling what is wrong. */
export async function edit(change) {
  return tell(() => post("/edit", { change, base: shown.digest }), change.kind === "undo");
}

/** Do something that changes the flow, tell what came of it, and have the page follow. */
export async function tell(act, isUndo = false) {
  try {
    const answer = await act();
    if (answer.digest !== undefined) shown.digest = answer.digest;
    notice(answer.summary || "Done.", { command: answer.command, undo: !isUndo && answer.command && answer.digest !== undefined ? () => edit({ kind: "undo" }) : null });
    document.dispatchEvent(new CustomEvent("flow-changed", { detail: answer }));
    return answer;
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    notice(refused.message, { bad: true, detail: refused.facts.conflict });
    return null;
  }
}

const panel = () => document.getElementById("panel") || document.getElementById("main");

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-change], button[data-example]");
  if (!button) return;
  button.disabled = true;
  try {
    if (button.dataset.example) await tell(() => post("/example", { name: button.dataset.example }));
    else if (button.dataset.missing) await draft(JSON.parse(button.dataset.change));
    else await edit(JSON.parse(button.dataset.change));
  } finally {
    button.disabled = false;
  }
});

/** Show the form of a step that is not added yet: something that it needs has to be chosen first. */
async function draft(change) {
  try {
    show(panel(), await post("/step/draft", change));
    panel().querySelector("h2, h1")?.focus();
  } catch (refused) {
    notice(refused.message, { bad: true });
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.dataset.rename !== undefined) {
    event.preventDefault();
    await edit({ kind: "rename", old: form.dataset.rename, new: form.elements.new.value });
  } else if (form.dataset.place !== undefined) {
    event.preventDefault();
    if (await tell(() => post("/place", { path: form.elements.path.value }))) form.reset();
  }
});
