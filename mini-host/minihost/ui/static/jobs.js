// The pages of jobs and web apps: what runs is asked for again and again, a log grows, and things are started and stopped.
import { ask, load, notice, post, show } from "/static/page.js";

const EVERY = 1500;
const MOST_LINES = 5000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-stop], [data-run]");
  if (!button) return;
  button.disabled = true;
  try {
    if (button.dataset.stop) notice((await post("/stop", { id: button.dataset.stop })).said);
    else {
      const started = await post("/run", { targets: [button.dataset.run], force: true });
      notice("It is started.", { command: started.command });
      location.href = "/jobs";
    }
  } catch (refused) {
    notice(refused.message, { bad: true });
  } finally {
    button.disabled = false;
  }
});

/** Call again and again while the page is seen, with a pause after each answer, until `work` answers false. */
async function again(work) {
  for (;;) {
    if (!document.hidden) {
      try {
        if ((await work()) === false) return;
      } catch {
        // the server does not answer: perhaps it does next time
      }
    }
    await new Promise((done) => setTimeout(done, EVERY));
  }
}

/** Replace what changed; what is open stays open, and the focus where it was. */
function renew(element, html) {
  if (element.dataset.last === html) return;
  const is_first = element.dataset.last === undefined;
  element.dataset.last = html;
  if (is_first && element.children.length && same(element, html)) return;
  const open = new Map([...element.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
  const focus = element.contains(document.activeElement) ? address_of(document.activeElement) : "";
  show(element, html);
  for (const one of element.querySelectorAll("details[id]")) if (open.has(one.id)) one.open = open.get(one.id);
  if (focus) element.querySelector(focus)?.focus();
}

function same(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.innerHTML.trim() === element.innerHTML.trim();
}

function address_of(element) {
  if (element.dataset.stop) return `[data-stop="${CSS.escape(element.dataset.stop)}"]`;
  if (element.matches("a[href]")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  const details = element.closest("details[id]");
  return details ? `#${CSS.escape(details.id)} > summary` : "";
}

for (const element of document.querySelectorAll("[data-renew]")) {
  again(async () => renew(element, await ask(element.dataset.renew)));
}

for (const details of document.querySelectorAll("details[data-form]")) {
  details.addEventListener("toggle", async () => {
    const place = details.querySelector(".form");
    if (!details.open || place.children.length) return;
    await load(place, details.dataset.form);
    const form = place.querySelector("form");
    if (form) form.dataset.save = "/webapps/start";
  });
}

const page = document.querySelector("[data-job]");
if (page) follow(page.dataset.job);

/** Show the log of a job as it grows, and what is above it; at the end its result. */
function follow(id) {
  const log = document.getElementById("log");
  const result = document.getElementById("result");
  const was_over = result.hasAttribute("data-load") || result.children.length > 0 || result.hasAttribute("aria-busy");
  let next = null;
  let file = 0;
  again(async () => {
    let part;
    do {
      const query = new URLSearchParams({ id, file });
      if (next !== null) query.set("from", next);
      part = await ask(`/job/log?${query}`);
      add(log, part, next === null);
      ({ next, file } = part);
    } while (part.more);
    renew(document.getElementById("head"), part.head);
    if (!part.over) return true;
    if (!log.childNodes.length) log.append("It wrote nothing.");
    if (!was_over) load(result, result.dataset.address);
    return false;
  });
}

function add(log, part, is_first) {
  const is_at_end = is_first || log.scrollTop + log.clientHeight > log.scrollHeight - 30;
  if (part.gap) log.replaceChildren("[earlier lines are left out]\n");
  if (!part.lines.length) return;
  log.append(part.lines.join("\n") + "\n");
  if (log.childNodes.length > MOST_LINES) log.firstChild.remove();
  if (is_at_end) log.scrollTop = log.scrollHeight;
}
