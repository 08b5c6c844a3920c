// Searching the flow: what matches stays bright, Enter goes from one to the next.

export class Search {
  /** `found` is called with the node to go to. */
  constructor(root, { goTo, leave }) {
    this.root = root;
    this.input = root.querySelector("#search");
    this.count = root.querySelector("#found");
    this.goTo = goTo;
    this.at = -1;
    this.input.addEventListener("input", () => { this.at = -1; this.apply(); });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.next(event.shiftKey ? -1 : 1); }
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); this.clear(); leave(); }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
      event.preventDefault();
      this.input.focus();
      this.input.select();
    });
  }

  /** Mark what matches in the picture and the list; again after each redraw. */
  apply() {
    const words = this.input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const fits = (text) => words.every((word) => text.toLocaleLowerCase().includes(word));
    this.matches = [];
    for (const node of this.root.querySelectorAll(".node")) {
      const isMatch = words.length > 0 && fits(node.dataset.what);
      node.classList.toggle("match", isMatch);
      if (isMatch) this.matches.push(node.dataset.id);
    }
    this.root.querySelector(".flow-picture")?.classList.toggle("searching", words.length > 0);
    for (const row of this.root.querySelectorAll("[data-row]")) row.classList.toggle("dim", words.length > 0 && !this.matches.includes(row.dataset.row));
    this.say(words.length > 0);
  }

  say(isOn) {
    const { length } = this.matches;
    this.count.textContent = !isOn ? "" : !length ? "nothing found" : this.at < 0 ? `${length} found` : `${this.at + 1} of ${length}`;
  }

  next(by) {
    if (!this.matches?.length) return;
    this.at = this.at < 0 ? (by > 0 ? 0 : this.matches.length - 1) : (this.at + by + this.matches.length) % this.matches.length;
    this.say(true);
    this.goTo(this.matches[this.at]);
  }

  clear() {
    this.input.value = "";
    this.apply();
  }
}
