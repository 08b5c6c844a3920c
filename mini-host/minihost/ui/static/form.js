// The form of a step. What it holds is read by the structure of the page, so that names may hold anything:
// a group is an object of its fields by their keys, rows are a list of groups. The server says what it means.
import { post, notice, load, Refused } from "./page.js";
import { tell, shown } from "./edits.js";

const PAUSE = 250; // milliseconds without a key after which the form is checked
const all = (element, selector) => [...element.querySelectorAll(selector)];

/** The fields of a group, without those of groups inside it. */
const fieldsOf = (group) => all(group, "[data-field]").filter((field) => field.parentElement.closest("[data-group]") === group);

const entriesOf = (group) => Object.fromEntries(
  fieldsOf(group).filter((field) => field.dataset.control !== "separator").map((field) => [field.dataset.field, entry(field)]));

const chosen = (field, text) => ("plain" in field.dataset ? text : { typed: text });
const items = (field) => [...field.querySelector(".items").children];
const value = (field) => field.querySelector("input, textarea").value;

/** What a control holds, as the server reads it. */
const READ = {
  checkbox: (field) => field.querySelector("input").checked,
  select(field) {
    const menu = field.querySelector("select");
    const isTyped = "typed" in (menu.selectedOptions[0]?.dataset || {});
    const text = isTyped ? field.querySelector(".typed").value : "";
    return isTyped ? (text ? chosen(field, text) : "") : menu.value;
  },
  multiselect(field) {
    const now = all(field, ".boxes input:checked").map((box) => ("typed" in box.dataset ? chosen(field, box.value) : box.value));
    const first = JSON.parse(field.querySelector(".boxes").dataset.first);
    return [...first.filter((key) => now.includes(key)), ...now.filter((key) => !first.includes(key))];
  },
  list: (field) => items(field).map((item) => item.querySelector("input").value),
  map: (field) => items(field).map((item) => all(item, "input").map((input) => input.value)),
  pairs: (field) => READ.map(field),
  password: (field) => (field.querySelector(".forget")?.checked && !value(field) ? false : value(field)),
  login: (field) => ({ user: field.querySelector(".user").value, password: field.querySelector(".secret").value }),
  preset: (field) => entriesOf(field.querySelector("[data-group]")),
  rows: (field) => items(field).map((row) => ({ from: row.dataset.from === "" ? null : Number(row.dataset.from), fields: entriesOf(row) })),
};
const entry = (field) => (READ[field.dataset.control] || value)(field);

class StepForm {
  constructor(form) {
    this.form = form;
    this.asked = 0;
    this.rows = 0;
    this.summary = form.querySelector(".summary");
    this.said = form.querySelector(".said");
    this.drawn = JSON.stringify(this.body());
    for (const field of this.fields()) field.first = JSON.stringify(entry(field));
    form.addEventListener("input", (event) => this.typed(event));
    form.addEventListener("change", (event) => this.typed(event));
    form.addEventListener("click", (event) => this.clicked(event));
    form.addEventListener("submit", (event) => this.submitted(event));
    this.check();
    this.queue = this.fields().filter((field) => "dynamic" in field.dataset);
    this.askNext();
  }

  fields() {
    return all(this.form, "[data-field]").filter((field) => field.dataset.control !== "separator");
  }

  body() {
    const own = (name) => this.form.querySelector(`[data-own="${name}"]`);
    const group = (name) => this.form.querySelector(`[data-group="${name}"]`);
    const facts = { step: this.form.dataset.step, component: this.form.dataset.component, kind: this.form.dataset.kind, base: this.form.dataset.base };
    for (const name of ["name", "partition"]) if (own(name)) facts[name] = value(own(name));
    if (own("creates")) facts.creates = READ.list(own("creates")).filter((text) => text.trim());
    for (const name of ["inputs", "outputs", "params"]) if (group(name)) facts[name] = entriesOf(group(name));
    return facts;
  }

  typed(event) {
    const field = event.target.closest("[data-field]");
    const menu = event.target.closest("select");
    if (menu && field) this.showTyped(field, menu, event.type === "change");
    if (event.target.classList.contains("filter")) return filter(event.target);
    if (event.target.classList.contains("typed") && field?.dataset.control === "multiselect") return;
    if (event.type === "change" && field) this.changed(field);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), event.type === "change" ? 0 : PAUSE);
  }

  showTyped(field, menu, isChange) {
    const input = field.querySelector(".typed");
    if (!input) return;
    input.hidden = !("typed" in (menu.selectedOptions[0]?.dataset || {}));
    if (!input.hidden && isChange) input.focus();
  }

  /** Ask again for choices that depend on a field that was changed. */
  changed(field) {
    const group = field.closest('[data-group="inputs"]') ? "input" : field.dataset.name;
    if (group === "input" || "plain" in field.dataset) this.askColumns();
    for (const other of this.fields()) {
      if (other === field || !("dynamic" in other.dataset)) continue;
      const watches = other.dataset.watches ? JSON.parse(other.dataset.watches) : null;
      const isWatched = watches === null || watches.includes(group) || (group === "input" && watches.length > 0);
      if (isWatched && !this.queue.includes(other)) this.queue.push(other);
    }
    clearTimeout(this.askTimer);
    this.askTimer = setTimeout(() => this.askNext(), 400);
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button || button.type === "submit") return;
    const field = button.closest("[data-field], [data-own]");
    if (button.classList.contains("add")) this.addItem(field);
    else if (button.classList.contains("add-typed")) addTyped(field);
    else if (button.classList.contains("remove")) this.removeItem(button, field);
    else return;
    this.check();
  }

  addItem(field) {
    const template = field.querySelector(":scope > .control > template");
    const holder = document.createElement("div");
    const prefix = template.dataset.prefix;
    // Ids of a new row are its own; the templates inside it are text here, so they follow.
    holder.innerHTML = prefix ? template.innerHTML.replaceAll(prefix, prefix.replace(/NEW$/, `n${(this.rows += 1)}`)) : template.innerHTML;
    const added = holder.firstElementChild;
    field.querySelector(":scope > .control > .items").append(added);
    for (const inner of all(added, "[data-field]")) if (inner.dataset.control !== "separator") inner.first = JSON.stringify(entry(inner));
    this.queue.push(...all(added, "[data-dynamic]"));
    this.askNext();
    added.querySelector("input, select, textarea")?.focus();
  }

  removeItem(button, field) {
    const item = button.closest(".item, .row");
    const next = item.nextElementSibling || item.previousElementSibling;
    const outer = item.parentElement.closest("[data-field], [data-own]") || field;
    item.remove();
    (next?.querySelector("input, select, textarea") || outer.querySelector(".add"))?.focus();
  }

  async check() {
    clearTimeout(this.timer);
    if (!this.form.isConnected) return null;
    const number = (this.asked += 1);
    let answer;
    try {
      answer = await post("/step/check", this.body());
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      if (number === this.asked) this.summarize([refused.message]);
      return null;
    }
    if (number !== this.asked || !this.form.isConnected) return null;
    for (const name of ["inputs", "outputs", "params"]) {
      const group = this.form.querySelector(`[data-group="${name}"]`);
      if (group) this.apply(group, answer[name]);
    }
    const partition = this.form.querySelector('[data-own="partition"]');
    if (partition) partition.hidden = !answer.partitioned;
    this.form.querySelector(".same").hidden = !answer.command;
    this.form.querySelector(".same .command").textContent = answer.command;
    this.said.textContent = answer.moved ? "flow.yaml has changed since this form was drawn." : answer.changed && this.form.dataset.step ? "Not saved yet" : "";
    this.answer = answer;
    if (!this.summary.hidden) this.summarize(this.all(), this.summary.dataset.again === "");
    return answer;
  }

  /** Show which fields are visible, and mistakes beside those that somebody touched. */
  apply(group, states) {
    for (const field of fieldsOf(group)) {
      const state = states[field.dataset.field];
      if (!state) continue;
      field.hidden = !state.visible;
      if (field.dataset.control === "separator") continue;
      const isTouched = "all" in this.form.dataset || JSON.stringify(entry(field)) !== field.first;
      mark(field, isTouched ? state.mistakes : []);
      const inside = field.dataset.control === "rows" ? items(field) : all(field, ":scope > .control > [data-group]");
      inside.forEach((inner, number) => state.groups?.[number] && this.apply(inner, state.groups[number]));
    }
  }

  /** Every mistake, with the field that it stands beside. */
  all() {
    const beside = this.fields().flatMap((field) => (field.closest("[hidden]") ? [] : all(field, ":scope > .wrong .mistake").map((one) => [one.textContent, field])));
    return [...(this.answer?.mistakes || []), ...beside];
  }

  summarize(mistakes, offersAnyway = false) {
    this.summary.hidden = !mistakes.length;
    if (!mistakes.length) return;
    const title = document.createElement("p");
    title.textContent = mistakes.length === 1 ? "One thing is not right yet" : `${mistakes.length} things are not right yet`;
    const list = document.createElement("ul");
    for (const mistake of mistakes) {
      const [text, field] = Array.isArray(mistake) ? mistake : [mistake, null];
      const line = document.createElement("li");
      const link = document.createElement(field ? "a" : "span");
      link.textContent = text;
      if (field) {
        link.href = `#${control(field)?.id || ""}`;
        link.addEventListener("click", (event) => { event.preventDefault(); control(field)?.focus(); });
      }
      line.append(link);
      list.append(line);
    }
    this.summary.replaceChildren(title, list);
    if (offersAnyway) {
      this.summary.dataset.again = "";
      const button = document.createElement("button");
      button.className = "button";
      button.type = "button";
      button.textContent = this.form.dataset.step ? "Save it all the same" : "Add it all the same";
      button.addEventListener("click", () => this.save(false));
      this.summary.append(button);
    }
  }

  async submitted(event) {
    event.preventDefault();
    const isRun = event.submitter?.name === "run";
    this.form.dataset.all = "";
    const answer = await this.check();
    if (!answer) return;
    if (!answer.right) {
      this.summarize(this.all(), this.form.dataset.kind !== "webapp");
      this.summary.focus();
      return;
    }
    this.summary.hidden = true;
    if (!answer.changed && this.form.dataset.step && !isRun) {
      this.said.textContent = "Nothing to save: the flow says so already.";
      return;
    }
    await this.save(isRun);
  }

  async save(isRun) {
    const buttons = all(this.form, "button[type=submit]");
    for (const button of buttons) button.disabled = true;
    try {
      const address = this.form.dataset.save || "/step/save";
      const isSame = !this.answer?.changed && this.form.dataset.step;
      const answer = isSame ? { select: `step:${this.form.dataset.step}` } : await tell(() => post(address, this.body()));
      if (!answer) return;
      this.form.dispatchEvent(new CustomEvent("saved", { detail: { answer, isRun }, bubbles: true }));
      if (isRun && answer.select) await run(answer.select.replace(/^step:/, ""));
      const page = this.form.closest("[data-page]");
      if (page && answer.select) {
        const address = `/step?name=${encodeURIComponent(answer.select.replace(/^step:/, ""))}`;
        history.replaceState(null, "", address);
        await load(page, `${address}&part=page`);
        page.querySelector("h1")?.focus();
      }
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** Have the menus of columns drawn anew: they depend on the inputs and on parameters that name a dataset. */
  async askColumns() {
    const fields = this.fields().filter((field) => "columns" in field.dataset);
    if (fields.length && this.form.isConnected) await this.ask(fields);
  }

  /** Ask for the choices of one field after another: each asks a process of the plugin. */
  async askNext() {
    if (this.isAsking) return;
    this.isAsking = true;
    while (this.queue.length && this.form.isConnected) {
      const field = this.queue.shift();
      if (!field.isConnected) continue;
      problem(field, "Asking for the choices …");
      await this.ask([field]);
    }
    this.isAsking = false;
  }

  async ask(fields) {
    const before = fields.map((field) => JSON.stringify(entry(field)));
    const asked = fields.map((field) => ({ id: idOf(field), path: pathOf(field) }));
    let answer;
    try {
      answer = await post("/step/choices", { ...this.body(), fields: asked });
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      for (const field of fields) problem(field, refused.message);
      return;
    }
    const drawn = Object.fromEntries(answer.fields.map((one) => [one.id, one]));
    fields.forEach((field, number) => {
      const one = drawn[asked[number].id];
      if (!one || !field.isConnected) return;
      // Whoever typed meanwhile keeps what they typed, and is asked for again.
      if (JSON.stringify(entry(field)) !== before[number]) return this.queue.push(field);
      redraw(field, one.html);
      problem(field, one.problem);
    });
  }
}

const control = (field) => field.querySelector(":scope > .control select:not([hidden]), :scope > .control input:not([hidden]), :scope > .control textarea, :scope > label input") || field;
const idOf = (field) => field.id || field.querySelector(":scope > label")?.htmlFor || "";

/** The keys of a field and of those around it, with the numbers of their groups between them. */
function pathOf(field) {
  const group = field.parentElement.closest("[data-group]");
  const outer = group.parentElement.closest("[data-field]");
  if (!outer) return [field.dataset.field];
  return [...pathOf(outer), outer.dataset.control === "rows" ? items(outer).indexOf(group) : 0, field.dataset.field];
}

function redraw(field, html) {
  const holder = field.querySelector(":scope > .control");
  const had = holder.contains(document.activeElement);
  const first = field.querySelector(".boxes")?.dataset.first;
  const template = document.createElement("template");
  template.innerHTML = html;
  holder.replaceChildren(template.content);
  if (first) field.querySelector(".boxes").dataset.first = first;
  if (had) control(field).focus();
}

function mark(field, mistakes) {
  const place = field.querySelector(":scope > .wrong");
  const now = all(place, ".mistake").map((one) => one.textContent);
  if (now.length !== mistakes.length || now.some((text, number) => text !== mistakes[number])) {
    place.replaceChildren(...mistakes.map((text) => Object.assign(document.createElement("p"), { className: "mistake", textContent: text })));
  }
  const target = field.matches("fieldset") ? field : control(field);
  if (mistakes.length) target.setAttribute("aria-invalid", "true");
  else target.removeAttribute("aria-invalid");
}

function problem(field, text) {
  const place = field.querySelector(".problem");
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
}

function filter(input) {
  const wanted = input.value.toLowerCase();
  for (const label of all(input.parentElement, ".boxes label")) {
    label.hidden = !label.textContent.toLowerCase().includes(wanted) && !label.querySelector("input").checked;
  }
}

function addTyped(field) {
  const input = field.querySelector("input.typed");
  const text = input.value.trim();
  if (!text) return;
  const label = document.importNode(field.querySelector("template").content, true).firstElementChild;
  const box = label.querySelector("input");
  box.value = text;
  box.dataset.typed = "";
  label.querySelector("span").textContent = text;
  field.querySelector(".boxes").append(label);
  input.value = "";
  input.focus();
}

async function run(step) {
  try {
    await post("/run", { targets: [step], force: false });
    document.dispatchEvent(new CustomEvent("flow-run"));
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    notice(refused.message, { bad: true });
  }
}

/** Begin the forms of new content; one that came after its place has left the page is nothing to anybody. */
function attach(element) {
  if (!element.isConnected) return;
  for (const form of all(element, "form.step-form:not([data-alive])")) {
    form.dataset.alive = "";
    shown.digest = form.dataset.base;
    new StepForm(form);
  }
}

document.addEventListener("fragment", (event) => attach(event.detail));
attach(document);
