// Posts pictures to the backend and shows its answers, one card for each. Everything that comes from elsewhere is set as text.
(() => {
  'use strict';
  const AT_ONCE = 2;
  const ANOTHER = '\u0000another';
  const byId = (id) => document.getElementById(id);
  let facts = null;
  let numbers = 0;

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, '');
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  };
  const button = (text, action, more = {}) => element('button', { type: 'button', class: 'button', onclick: action, ...more }, text);
  const say = (text) => { byId('status').textContent = text; };
  const alarm = (text, calm = false) => {
    byId('alert').textContent = text;
    byId('alert').classList.toggle('calm', calm);
    byId('alert').hidden = !text;
  };
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 9.95e6 ? 1 : 0)}\u00a0MB`;
  const percent = (share) => {
    const value = 100 * share;
    if (value >= 99.95 && share < 1) return '> 99.9\u00a0%';
    if (value > 0 && value < 0.05) return '< 0.1\u00a0%';
    return `${value >= 10 && value < 99.5 ? Math.round(value) : value.toFixed(value === 100 ? 0 : 1)}\u00a0%`;
  };
  const plural = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;

  // Ask the backend; an error has a message for people.
  const ask = async (question, fields = {}, file = null) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    if (file) body.append('picture', file, 'picture');
    let response;
    try {
      response = await fetch(getWebAppBackendUrl(`/${question}`), { method: 'POST', body, credentials: 'same-origin', headers: { 'X-Requested-With': 'vision-try' } });
    } catch {
      throw new Error('The server that runs this page cannot be reached. Is it still running?');
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.error || `The server refused this (HTTP ${response.status}).`);
    return answer;
  };

  // A few requests at a time, in order.
  const waiting = [];
  let running = 0;
  const next = () => {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      waiting.shift()().finally(() => { running -= 1; next(); });
    }
  };
  const inTurn = (task) => new Promise((resolve, reject) => {
    waiting.push(() => task().then(resolve, reject));
    next();
  });

  // Fields for the table columns that the model takes beside a picture; `read` returns their texts by name.
  const fillColumns = (fieldset, values = {}) => {
    const inputs = facts.columns.map((column) => {
      const id = `field-${(numbers += 1)}`;
      const choose = column.kind === 'category' && column.categories.length <= 100;
      const input = choose
        ? element('select', { id }, element('option', { value: '' }, 'not known'), ...column.categories.map((one) => element('option', { value: one }, one)))
        : element('input', { id, autocomplete: 'off', inputmode: column.kind === 'number' ? 'decimal' : 'text', placeholder: 'not known' });
      input.value = values[column.name] || '';
      fieldset.append(element('div', { class: 'field' }, element('label', { for: id }, column.name), input));
      return [column.name, input];
    });
    return () => Object.fromEntries(inputs.map(([name, input]) => [name, input.value.trim()]).filter(([, text]) => text));
  };

  class Card {
    constructor(file) {
      this.file = file;
      this.name = file.name || 'picture';
      this.cells = readColumns();
      this.id = `card-${(numbers += 1)}`;
      this.source = URL.createObjectURL(file);
      this.preview = element('img', { class: 'preview', src: this.source, alt: `Your picture ${this.name}`, onerror: () => this.showSeen() });
      this.view = element('div', { class: 'view' }, this.preview);
      this.body = element('div', { class: 'answer', 'aria-live': 'off' });
      this.note = element('p', { class: 'note', role: 'status' });
      const remove = button('×', () => this.remove(), { class: 'remove', 'aria-label': `Remove ${this.name} from this page` });
      const head = element('div', { class: 'head' }, element('h2', { id: this.id, tabindex: '-1' }, this.name), remove);
      this.element = element('li', { class: 'card', 'aria-labelledby': this.id }, this.view, element('div', { class: 'facts' }, head, this.body, this.note));
    }

    showSeen() {
      if (!this.seen) { // until the answer comes, if one comes
        this.preview.hidden = true;
        this.element.classList.toggle('bare', this.body.querySelector('.problem') !== null);
        return;
      }
      if (this.preview.src === this.seen) return;
      this.preview.src = this.seen;
      this.preview.hidden = false;
    }

    remove() {
      const other = this.element.nextElementSibling || this.element.previousElementSibling;
      URL.revokeObjectURL(this.source);
      this.element.remove();
      say(`${this.name} is removed from this page.`);
      (other ? other.querySelector('h2') : byId('choose')).focus();
    }

    fields(more = {}) {
      return { ...(facts.columns.length ? { columns: JSON.stringify(this.cells) } : {}), ...more };
    }

    async classify() {
      if (this.file.size > facts.largest) {
        this.fail(`This file has ${megabytes(this.file.size)}; pictures may have ${megabytes(facts.largest)}.`);
        return;
      }
      this.body.replaceChildren(element('p', { class: 'muted' }, 'Looking at it …'));
      this.element.setAttribute('aria-busy', 'true');
      try {
        const answer = await inTurn(() => ask('classify', this.fields(), this.file));
        if (answer.error) this.fail(`No answer: ${answer.error}.`);
        else this.show(answer);
        if (answer.version !== facts.version) await renew();
      } catch (error) {
        this.fail(error.message);
      }
      this.element.removeAttribute('aria-busy');
    }

    fail(text) {
      if (this.preview.complete && this.preview.naturalWidth === 0) this.preview.hidden = true;
      this.element.classList.toggle('bare', this.preview.hidden);
      this.body.replaceChildren(element('p', { class: 'problem' }, text));
      say(`${this.name}: ${text}`);
    }

    show(answer) {
      this.answer = answer;
      this.element.classList.remove('bare');
      const old = this.element.querySelector('figure');
      if (old) old.remove();
      this.seen = answer.seen;
      if (this.preview.hidden || (this.preview.complete && this.preview.naturalWidth === 0)) this.showSeen();
      const [best] = answer.labels;
      const bars = element('ol', { class: 'bars', 'aria-label': 'Labels, the most probable first' }, ...answer.labels.map(({ label, probability }) => element(
        'li', {}, element('span', { class: 'label' }, label), element('span', { class: 'percent' }, percent(probability)),
        element('span', { class: 'track', 'aria-hidden': 'true' }, element('i', { style: `width: ${(100 * probability).toFixed(2)}%` })),
      )));
      this.body.replaceChildren(...[
        answer.verdict ? element('p', { class: `verdict ${answer.verdict}` }, answer.verdict_words) : null,
        bars, this.columns(answer), this.similar(answer.similar), this.actions(best.label),
      ].filter(Boolean));
      say(`${this.name}: ${best.label}, ${percent(best.probability)}. ${answer.verdict_words}`);
    }

    columns(answer) {
      if (!facts.columns.length) return null;
      const shown = facts.columns.map(({ name }) => `${name}: ${this.cells[name] || 'not known'}`).join(', ');
      const fieldset = element('fieldset', {}, element('legend', {}, 'What the picture does not show'));
      const read = fillColumns(fieldset, this.cells);
      fieldset.append(button('Classify again', () => { this.cells = read(); this.classify(); }));
      const hint = (name) => (facts.columns.find((column) => column.name === name && column.kind === 'number') ? ' Write numbers as 12.5.' : '');
      const ignored = answer.ignored.map((name) => `${name}: “${this.cells[name]}” says nothing to the model, so it counts as not known.${hint(name)}`);
      return element('div', {}, ...ignored.map((text) => element('p', { class: 'problem' }, text)), element('details', {}, element('summary', {}, shown), fieldset));
    }

    similar(pictures) {
      if (!pictures.length) return null;
      const figures = pictures.map(({ label, source, similarity }) => element(
        'li', {}, source ? element('img', { src: source, alt: `Training picture: ${label}` }) : null,
        element('span', { title: `cosine similarity ${similarity.toFixed(2)}` }, label),
      ));
      return element('div', {}, element('h3', {}, 'Most similar training pictures'), element('ul', { class: 'similar' }, ...figures));
    }

    actions(label) {
      this.action = element('div', { class: 'actions' });
      this.showActions(label);
      return this.action;
    }

    showActions(label) {
      const offered = facts.saliency && !this.element.querySelector('figure');
      const evidence = button('Where is the evidence?', () => this.evidence(label), { class: 'button evidence' });
      const right = button('Right', () => this.keep(label), { 'aria-label': `Right, it is ${label}` });
      const wrong = button('Wrong, it is …', () => this.correct(), { 'aria-label': 'Wrong, it is something else' });
      this.action.replaceChildren(...[offered ? evidence : null, facts.feedback ? right : null, facts.feedback ? wrong : null].filter(Boolean));
    }

    // The map of a label. The first one waits for the network; meanwhile everything else goes on.
    async evidence(label) {
      this.asked = label;
      const began = Date.now();
      let answer = { ready: false };
      try {
        while (!answer.ready) {
          answer = await ask('saliency', this.fields({ label }), this.file);
          if (this.asked !== label || !this.element.isConnected) return;
          if (answer.ready) break;
          const seconds = Math.round((Date.now() - began) / 1000);
          if (seconds % 5 === 0) {
            this.note.textContent = `The first map takes some seconds: the network is made ready${seconds ? ` (${seconds} s)` : ''} …`;
            this.note.scrollIntoView({ block: 'nearest' });
          }
          await new Promise((resolve) => { setTimeout(resolve, 1000); });
        }
        this.note.textContent = '';
        this.showMap(answer);
        say(`${this.name}: ${answer.words}`);
      } catch (error) {
        this.note.textContent = error.message;
      }
    }

    showMap(answer) {
      const labels = this.answer.labels.map((one) => one.label);
      const id = `map-${(numbers += 1)}`;
      const select = element('select', { id, onchange: () => this.evidence(select.value) }, ...labels.map((one) => element('option', { value: one, selected: one === answer.label }, one)));
      const caption = element('figcaption', {}, element('label', { for: id }, 'Bright parts speak for'), ' ', select, element('p', {}, answer.words));
      const figure = element('figure', {}, element('img', { src: answer.source, alt: `Where the evidence for ${answer.label} lies. ${answer.words}` }), caption);
      const old = this.element.querySelector('figure');
      const focused = old && old.contains(document.activeElement);
      if (old) old.replaceWith(figure);
      else this.element.append(figure);
      if (focused || !old) select.focus({ preventScroll: true });
      figure.querySelector('img').decode().catch(() => {}).then(() => figure.scrollIntoView({ block: 'nearest' }));
      const asked = this.action.querySelector('.evidence');
      if (asked) asked.remove();
    }

    correct() {
      const others = facts.feedback.counts.map((one) => one.label);
      const labels = [...new Set([...facts.labels, ...others])].sort((a, b) => a.localeCompare(b));
      const [id, text] = [`label-${(numbers += 1)}`, `label-${(numbers += 1)}`];
      const input = element('input', { id: text, maxlength: facts.longest_label, autocomplete: 'off' });
      const field = element('div', { class: 'field', hidden: true }, element('label', { for: text }, 'New label'), input);
      const select = element('select', { id, required: true, onchange: () => {
        field.hidden = select.value !== ANOTHER;
        input.required = !field.hidden;
      } }, element('option', { value: '' }, 'choose …'), ...labels.map((one) => element('option', { value: one }, one)), element('option', { value: ANOTHER }, 'a new label …'));
      const form = element('form', { class: 'correction', onsubmit: (event) => {
        event.preventDefault();
        this.keep(select.value === ANOTHER ? input.value : select.value);
      } }, element('div', { class: 'field' }, element('label', { for: id }, 'It is'), select), field, element(
        'div', { class: 'buttons' }, element('button', { class: 'button strong', type: 'submit' }, 'Send'),
        button('Cancel', () => { this.showActions(this.answer.labels[0].label); this.focusAction(); }),
      ));
      this.action.replaceChildren(form);
      select.focus();
    }

    focusAction() {
      const first = this.action.querySelector('button');
      if (first) first.focus();
    }

    async keep(label) {
      const controls = [...this.action.querySelectorAll('button, select, input')];
      controls.forEach((one) => { one.disabled = true; });
      try {
        const answer = await ask('correct', this.fields({ label }), this.file);
        facts.feedback = answer.feedback;
        showCollected();
        this.note.textContent = '';
        const thanks = element('p', { class: 'kept', tabindex: '-1', role: 'status' }, `Kept as “${answer.label}”. Thank you.`);
        this.action.replaceChildren(thanks, button('Change', () => this.correct(), { 'aria-label': 'Change the label' }));
        thanks.focus();
      } catch (error) {
        controls.forEach((one) => { one.disabled = false; });
        this.note.textContent = error.message;
      }
    }
  }

  let readColumns = () => ({});

  const add = (files) => {
    const list = [...files];
    if (!list.length) { alarm('Only picture files can be given here, not links or texts.'); return; }
    if (!facts) return;
    alarm('');
    const made = list.map((file) => new Card(file));
    byId('cards').prepend(...made.map((card) => card.element));
    say(`${plural(made.length, 'picture')} added.`);
    made.forEach((card) => card.classify());
  };

  const showCollected = () => {
    const { feedback } = facts;
    byId('collected').hidden = !feedback;
    if (!feedback) return;
    const total = feedback.counts.reduce((sum, one) => sum + one.count, 0);
    const most = feedback.counts.slice(0, 12).map((one) => `${one.count} ${one.label}`);
    const more = feedback.counts.length - most.length;
    byId('counts').textContent = total
      ? `${plural(total, 'picture')} kept so far: ${most.join(', ')}${more > 0 ? ` and ${plural(more, 'more label')}` : ''}.`
      : 'None yet.';
    const table = feedback.dataset ? ` and the dataset “${feedback.dataset}” as feedback_dataset` : '';
    byId('recipe').textContent = `In the recipe vision-retrain, connect the folder “${feedback.folder}” as feedback_folder${table}, beside the pictures that the model was trained on.`;
    const [command] = (window.minihostWebApp || {}).next || [];
    byId('command').hidden = !command;
    byId('command').textContent = command || '';
  };

  const showFacts = () => {
    document.title = facts.title || document.title;
    if (facts.title) byId('title').textContent = facts.title;
    byId('message').textContent = facts.message;
    byId('message').hidden = !facts.message;
    const some = facts.labels.length > 6 ? `${facts.labels.length} labels` : facts.labels.join(', ');
    byId('model').textContent = `Model ${facts.model}: ${some}`;
    const kept = facts.feedback
      ? `It keeps none of them, except those for which you press “Right” or send a correction: these files are stored as they are, with details such as the time and place of a photo, in the folder “${facts.feedback.folder}”, to train the model with.`
      : 'It keeps none of them.';
    byId('privacy').textContent = `Your pictures go to the server that runs this page, and nowhere else. ${kept} Up to ${megabytes(facts.largest)} each.`;
    const fieldset = byId('columns');
    fieldset.hidden = !facts.columns.length;
    [...fieldset.querySelectorAll('.field')].forEach((one) => one.remove());
    readColumns = fillColumns(fieldset, readColumns());
    showCollected();
  };

  const renew = async () => {
    facts = await ask('facts');
    showFacts();
    alarm('The model was replaced by a new one. New answers come from it; those below may be older.', true);
  };

  const listen = () => {
    for (const id of ['choose', 'take']) {
      byId(id).addEventListener('change', (event) => {
        if (event.target.files.length) add(event.target.files);
        event.target.value = '';
      });
    }
    byId('camera').hidden = !window.matchMedia('(pointer: coarse)').matches;
    if (window.matchMedia('(hover: none)').matches) byId('ways').hidden = true;
    document.addEventListener('paste', (event) => {
      const { files } = event.clipboardData;
      if (files.length || !event.target.closest('input, select, textarea')) { event.preventDefault(); add(files); }
    });
    let depth = 0;
    const over = (on) => byId('start').classList.toggle('over', on);
    document.addEventListener('dragenter', (event) => { event.preventDefault(); depth += 1; over(true); });
    document.addEventListener('dragleave', () => { depth -= 1; over(depth > 0); });
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => { event.preventDefault(); depth = 0; over(false); add(event.dataTransfer.files); });
  };

  const begin = async () => {
    try {
      facts = await ask('facts');
    } catch (error) {
      alarm(error.message);
      return;
    }
    showFacts();
    listen();
  };
  begin();
})();
