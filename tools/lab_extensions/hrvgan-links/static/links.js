// A plugin of JupyterLab under `make lab` (docs/tools.md). JupyterLab looks for the place that a link names as soon as a
// chapter is read, before anything of it is drawn, and finds nothing. This looks until it is there, and stays with it
// while what stands above is drawn and grows, until the reader moves. What is folded around the place is opened.
'use strict';

const EVERY = 200; // milliseconds between two looks
const PATIENCE = 30000; // how long a chapter may take to draw
const CALM = 8; // looks without a move before the place counts as reached

function land(app, file, name) {
  const ends = Date.now() + PATIENCE;
  const places = ['data-jupyter-id', 'id'].map(key => `[${key}="${CSS.escape(name)}"]`).join();
  let left = false, calm = 0, last = null;
  const leave = () => { left = true; };
  for (const kind of ['wheel', 'keydown', 'pointerdown']) {
    document.addEventListener(kind, leave, { once: true, capture: true });
  }
  const look = () => {
    const panel = app.shell.currentWidget;
    const there = panel && panel.context && panel.context.path.split('/').pop() === file;
    const place = there && panel.node.querySelector(places);
    if (place) {
      for (let box = place.closest('details'); box; box = box.parentElement.closest('details')) box.open = true;
      if (last === null || Math.abs(place.getBoundingClientRect().top - last) > 2) {
        place.scrollIntoView({ block: 'start' });
        calm = 0;
      }
      last = place.getBoundingClientRect().top;
      calm += 1;
    }
    if (!left && calm < CALM && Date.now() < ends) setTimeout(look, EVERY);
  };
  look();
}

const plugin = {
  id: 'hrvgan-links:plugin',
  description: 'Links between chapters land at the first click.',
  autoStart: true,
  activate: app => {
    document.addEventListener('click', event => {
      const link = event.target.closest && event.target.closest('.jp-Notebook a[href*="#"]');
      const panel = app.shell.currentWidget;
      if (!link || !link.hash || !panel || !panel.context || event.ctrlKey || event.metaKey) return;
      const inside = link.getAttribute('href').startsWith('#');
      const path = inside ? panel.context.path : decodeURIComponent(link.pathname);
      if (path.endsWith('.ipynb')) land(app, path.split('/').pop(), decodeURIComponent(link.hash.slice(1)));
    }, true);
  }
};

window._JUPYTERLAB = window._JUPYTERLAB || {};
window._JUPYTERLAB['hrvgan-links'] = {
  init: () => undefined,
  get: () => Promise.resolve(() => ({ __esModule: true, default: [plugin] }))
};
