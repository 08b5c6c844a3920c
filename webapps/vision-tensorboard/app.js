// Draws the training curves from the backend and polls it while the page is visible.
(() => {
  'use strict';
  const NAMES = {
    epoch_loss: 'Loss',
    epoch_accuracy: 'Accuracy',
    epoch_learning_rate: 'Learning rate',
    epoch_seconds: 'Seconds per epoch',
  };
  const ORDER = Object.keys(NAMES);
  // The solver of a logistic regression has no learning rate, and its steps take no time worth a chart.
  const OF_EPOCHS = ['epoch_learning_rate', 'epoch_seconds'];
  const STAGES = { 'last-layer': 'last layer', 'fine-tuning': 'fine-tuning' };
  const ORDER_OF_STAGES = Object.keys(STAGES);
  const COLOURS = { train: 'var(--train)', validation: 'var(--validation)' };
  const MORE = ['var(--third)', 'var(--fourth)', 'var(--soft)'];
  // A run is a side of the split (train, validation), in the folder of its stage where there is one: fine-tuning/train.
  const sideOf = (curve) => curve.run.split('/').pop();
  const stageOf = (curve) => curve.run.split('/').slice(0, -1).join('/');
  // A training counts as running until its last value is older than a minute or three epochs, whichever is longer.
  const isLive = (answer) => {
    const seconds = answer.curves.filter((curve) => sideOf(curve) === 'train' && curve.tag === 'epoch_seconds').flatMap((curve) => curve.points.map((point) => point[1]));
    return answer.age !== null && answer.age < Math.max(60, 3 * Math.max(0, ...seconds));
  };
  const byId = (id) => document.getElementById(id);

  const element = (tag, attributes = {}, ...children) => {
    const svg = ['svg', 'path', 'line', 'text', 'circle', 'rect', 'g'].includes(tag);
    const made = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const nameOf = (tag) => NAMES[tag] || tag.replace(/^epoch_/, '').replace(/_/g, ' ');
  const isFraction = (tag) => /accuracy|precision|recall|auc/i.test(tag);
  const digits = (value) => (value === null ? '–' : Math.abs(value) >= 1000 || (value && Math.abs(value) < 0.001) ? value.toExponential(2) : String(Number(value.toPrecision(4))));
  const shown = (tag, value) => (value !== null && isFraction(tag) && value >= 0 && value <= 1 ? `${(100 * value).toFixed(1)} %` : digits(value));
  const colourOf = (curve, place) => COLOURS[sideOf(curve)] || MORE[place % MORE.length];
  const finite = (curve) => curve.points.filter((point) => point[1] !== null);

  // The curves of each stage, with what its steps are.
  const stagesOf = (curves) => [...new Set(curves.map(stageOf))].sort((a, b) => ORDER_OF_STAGES.indexOf(a) - ORDER_OF_STAGES.indexOf(b)).map((name) => {
    const own = curves.filter((curve) => stageOf(curve) === name);
    const rates = own.filter((curve) => curve.tag === 'epoch_learning_rate').flatMap((curve) => curve.points);
    const solver = rates.length > 0 && rates.every((point) => point[1] === 0);
    return { name: STAGES[name] || name, unit: solver ? 'solver step' : 'epoch', solver, curves: solver ? own.filter((curve) => !OF_EPOCHS.includes(curve.tag)) : own, all: own };
  });

  const ticks = (low, high, count) => {
    const rough = (high - low || Math.abs(high) || 1) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
    const found = [];
    for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step) found.push(Number(at.toPrecision(12)));
    return found;
  };

  const draw = (figure) => {
    const { tag, curves, stage } = shownIn.get(figure);
    const box = { width: Math.max(260, figure.clientWidth - 32), height: 240, left: 52, right: 14, top: 10, bottom: 42 };
    const points = curves.flatMap((curve) => curve.points).filter((point) => point[1] !== null);
    const svg = element('svg', { viewBox: `0 0 ${box.width} ${box.height}`, role: 'img', 'aria-label': `${nameOf(tag)} by ${stage.unit}` });
    figure.querySelector('svg')?.remove();
    figure.append(svg);
    if (!points.length) return;
    const steps = points.map((point) => point[0]);
    const values = points.map((point) => point[1]);
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (isFraction(tag) && high <= 1) high = 1;
    if (low >= 0 && (low < high * 0.6 || tag === 'epoch_seconds')) low = 0;
    if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
    const [first, last] = [Math.min(...steps), Math.max(Math.max(...steps), Math.min(...steps) + 1)];
    const x = (step) => box.left + ((step - first) / (last - first)) * (box.width - box.left - box.right);
    const y = (value) => box.height - box.bottom - ((value - low) / (high - low)) * (box.height - box.top - box.bottom);

    for (const value of ticks(low, high, 4)) {
      svg.append(element('line', { class: 'grid', x1: box.left, x2: box.width - box.right, y1: y(value), y2: y(value) }));
      const label = isFraction(tag) && high <= 1 ? `${Math.round(100 * value)} %` : digits(value);
      svg.append(element('text', { x: box.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, label));
    }
    for (const step of ticks(first, last, Math.min(8, last - first)).filter(Number.isInteger))
      svg.append(element('text', { x: x(step), y: box.height - 24, 'text-anchor': 'middle' }, String(step)));
    svg.append(element('text', { x: (box.left + box.width - box.right) / 2, y: box.height - 5, 'text-anchor': 'middle' }, `${stage.unit}s`));

    curves.forEach((curve, place) => {
      const line = `--line: ${colourOf(curve, place)}`;
      let pen = 'M';
      const path = curve.points.map(([step, value]) => {
        if (value === null) { pen = 'M'; return ''; }
        const piece = `${pen}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = 'L';
        return piece;
      }).join('');
      svg.append(element('path', { class: 'curve', style: line, d: path }));
      const end = finite(curve).pop();
      if (end) svg.append(element('circle', { class: 'dot', style: line, r: 4, cx: x(end[0]), cy: y(end[1]) }));
    });

    const hair = element('line', { class: 'hair', y1: box.top, y2: box.height - box.bottom, visibility: 'hidden' });
    const tip = figure.querySelector('.tip');
    const leave = () => { hair.setAttribute('visibility', 'hidden'); tip.hidden = true; };
    svg.append(hair, element('rect', { x: 0, y: 0, width: box.width, height: box.height, fill: 'transparent' }));
    svg.addEventListener('pointerleave', leave);
    svg.addEventListener('pointermove', (event) => {
      const at = ((event.clientX - svg.getBoundingClientRect().left) / svg.clientWidth) * box.width;
      const step = steps.reduce((best, one) => (Math.abs(x(one) - at) < Math.abs(x(best) - at) ? one : best), steps[0]);
      hair.setAttribute('x1', x(step));
      hair.setAttribute('x2', x(step));
      hair.setAttribute('visibility', 'visible');
      const lines = curves.map((curve) => [sideOf(curve), curve.points.find((point) => point[0] === step)]).filter(([, point]) => point);
      tip.replaceChildren(element('div', {}, `${capital(stage.unit)} ${step}`), ...lines.map(([run, point]) => element('div', {}, `${run}: ${shown(tag, point[1])}`)));
      tip.hidden = false;
      const left = 16 + (x(step) / box.width) * svg.clientWidth;
      tip.style.left = `${left + tip.offsetWidth + 24 > figure.clientWidth ? left - tip.offsetWidth - 10 : left + 10}px`;
    });
  };

  // A figure is drawn when its size is known, and again whenever that changes.
  const shownIn = new WeakMap();
  const resized = new ResizeObserver((entries) => entries.forEach((entry) => draw(entry.target)));
  const chart = (tag, stage, title) => {
    const curves = stage.curves.filter((curve) => curve.tag === tag);
    const keys = curves.map((curve, place) => element('span', { class: 'key', style: `--line: ${colourOf(curve, place)}` }, sideOf(curve)));
    const figure = element('figure', { class: 'chart' }, element('figcaption', {}, element('b', {}, title), ...keys), element('div', { class: 'tip', hidden: '' }));
    shownIn.set(figure, { tag, curves, stage });
    resized.observe(figure);
    return figure;
  };

  const fact = (name, value, aside) => element('div', { class: 'fact' }, element('span', {}, name), element('b', {}, value), ...(aside ? [element('i', {}, aside)] : []));

  const facts = (stage, several) => {
    const find = (side, tag) => finite(stage.all.find((curve) => sideOf(curve) === side && curve.tag === tag) || { points: [] });
    const named = (name) => (several ? `${name}, ${stage.name}` : name);
    const found = [];
    const steps = stage.all.flatMap((curve) => curve.points.map((point) => point[0]));
    if (steps.length) found.push(fact(named(`${capital(stage.unit)}s`), String(Math.max(...steps))));
    for (const [tag, best, words] of [['epoch_accuracy', Math.max, ['Best validation accuracy', 'Validation accuracy']], ['epoch_loss', Math.min, ['Lowest validation loss', 'Validation loss']]]) {
      const points = find('validation', tag);
      if (!points.length) continue;
      // The solver's last step is its result; of epochs, the best one is kept.
      const value = stage.solver ? points[points.length - 1][1] : best(...points.map((point) => point[1]));
      const place = stage.solver ? '' : `epoch ${points.find((point) => point[1] === value)[0]}`;
      found.push(fact(named(words[stage.solver ? 1 : 0]), shown(tag, value), place));
    }
    const seconds = find('train', 'epoch_seconds');
    const total = seconds.reduce((sum, point) => sum + point[1], 0);
    if (total >= 0.05) found.push(fact(named('Training time'), duration(total))); // a solver's steps take no time worth naming
    return found;
  };

  const duration = (seconds) => {
    if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
  };

  const figures = (stage, tags, several) => {
    const curves = tags.flatMap((tag) => stage.curves.filter((curve) => curve.tag === tag));
    const steps = [...new Set(curves.flatMap((curve) => curve.points.map((point) => point[0])))].sort((a, b) => a - b);
    const head = element('tr', {}, element('th', {}, capital(stage.unit)), ...curves.map((curve) => element('th', {}, `${nameOf(curve.tag)}, ${sideOf(curve)}`)));
    const rows = steps.map((step) => element('tr', {}, element('td', {}, String(step)), ...curves.map((curve) => {
      const point = curve.points.find((one) => one[0] === step);
      return element('td', {}, point ? shown(curve.tag, point[1]) : '');
    })));
    const title = several ? [element('h2', {}, capital(stage.name))] : [];
    return [...title, element('div', { class: 'scroll' }, element('table', {}, head, ...rows))];
  };

  const state = (text, kind = '') => {
    byId('state').textContent = text;
    byId('state').className = `state ${kind}`;
  };

  let last = '';
  const show = (answer) => {
    byId('model').textContent = answer.model;
    byId('show-tensorboard').hidden = !answer.tensorboard;
    byId('empty').hidden = answer.curves.length > 0;
    if (answer.age === null) state('Waiting for training to start');
    else if (isLive(answer)) state('Training now', 'live');
    else state(`Last update ${duration(answer.age)} ago`);
    const text = JSON.stringify(answer.curves);
    if (text === last) return;
    last = text;
    const stages = stagesOf(answer.curves);
    const several = stages.length > 1;
    const place = (tag) => (ORDER.includes(tag) ? ORDER.indexOf(tag) : ORDER.length);
    const tagsOf = (stage) => [...new Set(stage.curves.map((curve) => curve.tag))].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
    resized.disconnect();
    byId('charts').replaceChildren(...stages.flatMap((stage) => tagsOf(stage).map((tag) => chart(tag, stage, several ? `${nameOf(tag)}, ${stage.name}` : nameOf(tag)))));
    byId('facts').replaceChildren(...stages.flatMap((stage) => facts(stage, several)));
    byId('values').replaceChildren(...stages.flatMap((stage) => figures(stage, tagsOf(stage), several)));
    byId('table').hidden = !answer.curves.length;
  };

  const look = async () => {
    let pause = 3000;
    if (!document.hidden) {
      try {
        const response = await fetch(getWebAppBackendUrl('/curves'), { credentials: 'same-origin' });
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
        const answer = await response.json();
        show(answer);
        pause = isLive(answer) ? 2000 : 5000;
      } catch (error) {
        state(`No response from the backend (${error.message})`, 'bad');
      }
    }
    setTimeout(look, pause);
  };

  const turn = (tensorboard) => {
    byId('curves').hidden = tensorboard;
    byId('tensorboard').hidden = !tensorboard;
    byId('show-curves').setAttribute('aria-selected', String(!tensorboard));
    byId('show-tensorboard').setAttribute('aria-selected', String(tensorboard));
    if (tensorboard && !byId('tensorboard').src) byId('tensorboard').src = getWebAppBackendUrl('/tensorboard/');
  };
  byId('show-curves').addEventListener('click', () => turn(false));
  byId('show-tensorboard').addEventListener('click', () => turn(true));
  look();
})();
