// The embedding, drawn twice side by side: by cluster and by class. Both panels share the view and the
// point under the pointer; each has its own hidden groups.
//
// Points are blended straight into the canvas' pixels, so that 70,000 of them follow the finger. They
// come in random order (no group covers another), and the first thumbs.count of them carry an image.
const points = {n: data.points.shown, x: u16(data.points.x), y: u16(data.points.y), row: u32(data.points.row)};
const view = {...data.points.home};
const hover = {point: -1};

// Buckets of the unit square: points in cell c are order[start[c] .. start[c + 1]).
const cells = (() => {
  const side = 96, start = new Uint32Array(side * side + 1), order = new Uint32Array(points.n);
  const cell = i => Math.floor(points.y[i] / 65536 * side) * side + Math.floor(points.x[i] / 65536 * side);
  for (let i = 0; i < points.n; i++) start[cell(i) + 1]++;
  for (let c = 0; c < side * side; c++) start[c + 1] += start[c];
  const next = start.slice();
  for (let i = 0; i < points.n; i++) order[next[cell(i)]++] = i;
  return {side, start, order};
})();

// The visible point nearest to (x, y) of the unit square within `reach`; one with an image is preferred.
function nearest(x, y, reach, hidden, of) {
  const {side, start, order} = cells, clamp = v => Math.max(0, Math.min(side - 1, Math.floor(v * side)));
  let best = -1, bestScore = Infinity;
  for (let r = clamp(y - reach); r <= clamp(y + reach); r++)
    for (let c = clamp(x - reach); c <= clamp(x + reach); c++)
      for (let at = start[r * side + c]; at < start[r * side + c + 1]; at++) {
        const i = order[at];
        if (hidden.has(of[i])) continue;
        const dx = points.x[i] / 65536 - x, dy = points.y[i] / 65536 - y, d = dx * dx + dy * dy;
        if (d > reach * reach) continue;
        const score = thumbs && i < thumbs.count ? d : d + 4 * reach * reach;
        if (score < bestScore) { best = i; bestScore = score; }
      }
  return best;
}

function rgb(css) {
  const context = document.createElement('canvas').getContext('2d');
  context.fillStyle = css;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}

// A round brush of `radius` device pixels: [dx, dy, coverage] triples.
function brush(radius) {
  const out = [], edge = Math.ceil(radius);
  for (let dy = -edge; dy <= edge; dy++)
    for (let dx = -edge; dx <= edge; dx++) {
      const coverage = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (coverage) out.push([dx, dy, coverage]);
    }
  return out;
}

// A whole multiple of the thumbnail's side near 100: all its pixels are then of one size.
const thumbSide = thumbs ? Math.max(thumbs.width, thumbs.height) : 1;
const cardSize = thumbSide * Math.max(1, Math.round(100 / thumbSide));

function pointCard(i) {
  const row = points.row[i];
  return [thumbs && i < thumbs.count ? sprite(thumbs, i, cardSize) : null,
    h('div', {}, h('b', {}, 'row ' + count(row)),
      classes && classes.of[i] ? h('div', {}, 'class ' + classes.groups[classes.of[i]].name) : null,
      methods.map(m => h('div', {}, `${m.name} ${m.groups[m.of[i]].name}`)),
      thumbs && i >= thumbs.count ? h('div.quiet', {}, 'no image kept for this one') : null)].filter(Boolean);
}

function scatterPanel(grouping, redrawAll) {
  const canvas = h('canvas', {tabindex: 0, role: 'img', 'aria-label': 'embedding coloured by ' + grouping.name});
  const context = canvas.getContext('2d');
  const hidden = new Set();
  const legend = h('div.legend');
  const panel = {canvas, draw, ring, setGrouping};
  const base = points.n > 30000 ? 1.05 : points.n > 8000 ? 1.5 : points.n > 1500 ? 2.2 : 3.2;
  let image = null;

  function setGrouping(next) {
    grouping = next;
    hidden.clear();
    showLegend();
    draw();
  }
  function showLegend() {
    const shown = grouping.groups.map((g, i) => ({g, i})).filter(({g}) => g.size).sort((a, b) => a.g.noise - b.g.noise);
    const buttons = shown.map(({g, i}) => h('button', {
      type: 'button', title: 'click: hide or show; double click: this one alone',
      onclick: () => { hidden.has(i) ? hidden.delete(i) : hidden.add(i); refresh(); },
      ondblclick: () => {
        const alone = shown.every(s => s.i === i || hidden.has(s.i));
        hidden.clear();
        if (!alone) shown.forEach(s => { if (s.i !== i) hidden.add(s.i); });
        refresh();
      },
    }, h('span.dot', {style: `background:${g.colour}`}), g.name, h('small', {}, count(g.size))));
    const mark = () => buttons.forEach((b, at) => b.setAttribute('aria-pressed', !hidden.has(shown[at].i)));
    const refresh = () => { mark(); draw(); };
    mark();
    legend.replaceChildren(...buttons);
  }

  const toScreen = i => {
    const side = canvas.width;
    return [((points.x[i] / 65536 - view.x) * view.zoom + 0.5) * side,
            ((points.y[i] / 65536 - view.y) * view.zoom + 0.5) * side];
  };
  function draw() {
    const scale = Math.min(2, devicePixelRatio || 1), side = Math.round(canvas.clientWidth * scale);
    if (!side) return;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const [r0, g0, b0] = rgb(getComputedStyle(canvas).backgroundColor);
    image = context.createImageData(side, side);
    const out = image.data;
    for (let p = 0; p < out.length; p += 4) { out[p] = r0; out[p + 1] = g0; out[p + 2] = b0; out[p + 3] = 255; }
    const stamp = brush(base * scale * Math.min(3.5, view.zoom ** 0.4));
    const colours = grouping.groups.map(g => [...rgb(g.colour), g.noise ? 0.45 : 0.8]);
    for (let i = 0; i < points.n; i++) {
      const group = grouping.of[i];
      if (hidden.has(group)) continue;
      const [x, y] = toScreen(i), cx = Math.round(x), cy = Math.round(y);
      const [r, g, b, , alpha] = colours[group];
      for (const [dx, dy, coverage] of stamp) {
        const px = cx + dx, py = cy + dy;
        if (px < 0 || py < 0 || px >= side || py >= side) continue;
        const at = 4 * (py * side + px), a = alpha * coverage;
        out[at] += (r - out[at]) * a;
        out[at + 1] += (g - out[at + 1]) * a;
        out[at + 2] += (b - out[at + 2]) * a;
      }
    }
    ring();
  }
  // The drawn points again, with a ring around the one under the pointer.
  function ring() {
    if (!image) return;
    context.putImageData(image, 0, 0);
    if (hover.point < 0) return;
    const [x, y] = toScreen(hover.point), scale = canvas.width / canvas.clientWidth;
    context.beginPath();
    context.arc(x, y, 7 * scale, 0, 7);
    context.lineWidth = 2 * scale;
    context.strokeStyle = getComputedStyle(canvas).color;
    context.stroke();
  }

  // -- pointer, wheel, keys: drag pans, two fingers or the wheel (when focused) zoom ------------------
  const fingers = new Map();
  const where = event => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width - 0.5, (event.clientY - box.top) / box.height - 0.5];
  };
  function zoomAt([u, v], factor) {
    const zoom = Math.min(80, Math.max(1, view.zoom * factor));
    view.x += u / view.zoom - u / zoom;
    view.y += v / view.zoom - v / zoom;
    view.zoom = zoom;
    if (zoom === 1) view.x = view.y = 0.5;
    redrawAll();
  }
  canvas.addEventListener('pointerdown', event => {
    fingers.set(event.pointerId, where(event));
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', event => {
    const before = fingers.get(event.pointerId), now = where(event);
    if (!before) return point(event, now);
    if (fingers.size === 2) {
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const spread = at => Math.hypot(at[0] - other[0], at[1] - other[1]) || 1e-6;
      zoomAt(now, spread(now) / spread(before));
    } else {
      view.x -= (now[0] - before[0]) / view.zoom;
      view.y -= (now[1] - before[1]) / view.zoom;
      redrawAll();
    }
    fingers.set(event.pointerId, now);
  });
  for (const end of ['pointerup', 'pointercancel'])
    canvas.addEventListener(end, event => fingers.delete(event.pointerId));
  function point(event, [u, v]) {
    const found = nearest(view.x + u / view.zoom, view.y + v / view.zoom,
                          12 / canvas.clientWidth / view.zoom, hidden, grouping.of);
    if (found !== hover.point) { hover.point = found; redrawAll(true); }
    if (found < 0) hideCard();
    else showCard(event, pointCard(found));
  }
  canvas.addEventListener('pointerup', event => point(event, where(event)));
  canvas.addEventListener('pointerleave', () => { hover.point = -1; hideCard(); redrawAll(true); });
  canvas.addEventListener('wheel', event => {
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    zoomAt(where(event), Math.exp(-event.deltaY * 0.002));
  }, {passive: false});
  const goHome = () => { Object.assign(view, data.points.home); redrawAll(); };
  canvas.addEventListener('dblclick', goHome);
  canvas.addEventListener('keydown', event => {
    const step = 0.1 / view.zoom;
    const act = {'+': () => zoomAt([0, 0], 1.4), '-': () => zoomAt([0, 0], 1 / 1.4),
                 ArrowLeft: () => { view.x -= step; }, ArrowRight: () => { view.x += step; },
                 ArrowUp: () => { view.y -= step; }, ArrowDown: () => { view.y += step; }}[event.key];
    if (act) { event.preventDefault(); act(); redrawAll(); }
  });

  const viewButton = (sign, title, onclick) => h('button', {type: 'button', title, 'aria-label': title, onclick}, sign);
  panel.element = h('div.plot', {}, canvas,
    h('div.zoom', {}, viewButton('+', 'closer', () => zoomAt([0, 0], 1.6)),
      viewButton('−', 'farther', () => zoomAt([0, 0], 1 / 1.6)), viewButton('⌂', 'back to the first view', goHome)),
    legend);
  showLegend();
  return panel;
}

function scatter() {
  if (!points.n) return;
  const groupings = [...methods, ...(classes ? [classes] : [])];
  if (!groupings.length) groupings.push(oneGroup());
  const panels = [];
  let waiting = false, onlyRing = true;
  function redrawAll(ringOnly = false) {
    onlyRing = onlyRing && ringOnly;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      panels.forEach(p => onlyRing ? p.ring() : p.draw());
      waiting = false;
      onlyRing = true;
    });
  }
  // The first method beside the classes or, without labels, beside the second method.
  const last = classes ? groupings.length - 1 : Math.min(1, groupings.length - 1);
  const columns = [...new Set([0, last])].map(chosen => {
    const panel = scatterPanel(groupings[chosen], redrawAll);
    panels.push(panel);
    return h('div', {}, groupings.length < 2 ? null : h('div.bar', {}, h('span.quiet', {}, 'coloured by'),
      choice(groupings.map(g => g.name), chosen, i => panel.setGrouping(groupings[i]))), panel.element);
  });
  const told = [data.points.caption];
  if (thumbs) told.push('Point at a dot to see its image' + (thumbs.count < points.n
    ? `: a seeded sample of ${count(thumbs.count)} carries one, to keep this page small.` : '.'));
  told.push('Drag to move; zoom with the buttons, two fingers, or the wheel once clicked.');
  if (classes && methods.length) told.push('Colours of clusters follow the class that they share most points with.');
  section('The embedding', told.join(' '), h(columns.length > 1 ? 'div.two' : 'div.one', {}, columns));
  new ResizeObserver(() => redrawAll()).observe(page);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redrawAll());
  redrawAll();
}
