// Lines over whole numbers, such as the loss over epochs: each named at its end; the pointer reads
// them off. `at` holds the numbers, rising; lines start at 0 unless `low` says otherwise; a flat
// chart stands among others. Returns the chart and its legend.
function curves({lines, at, axis, title, low, flat}) {
  const strokes = ['var(--ink)', '#4269d0', '#e0762b', '#3f9b47'];
  const first = at[0], last = at.at(-1);
  const top = Math.max(...lines.flatMap(l => l.values));
  low ??= Math.min(0, ...lines.flatMap(l => l.values));

  function draw(width) {
    const height = flat ? 170 : Math.max(240, Math.min(360, width * 0.42));
    const left = 64, right = width < 500 ? 12 : flat ? 260 : 150, bottom = 40, above = 12;
    const x = e => left + (width - left - right) * (last > first ? (e - first) / (last - first) : 0.5);
    const y = v => above + (height - above - bottom) * (1 - (v - low) / (top - low || 1));
    const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `${title} by ${axis}`});
    for (const v of ticks(low, top, 5))
      root.append(svg('line', {class: 'grid', x1: left, x2: width - right, y1: y(v), y2: y(v)}),
                  svg('text', {x: left - 8, y: y(v) + 4, 'text-anchor': 'end'}, short(v)));
    for (const e of ticks(first, last, Math.min(last - first + 1, width / 90)).filter(Number.isInteger))
      root.append(svg('text', {x: x(e), y: height - bottom + 20, 'text-anchor': 'middle'}, e));
    root.append(svg('text', {x: (left + width - right) / 2, y: height - 3, 'text-anchor': 'middle'}, axis));

    // Labels at the lines' ends, pushed apart where they would overlap.
    let free = Infinity;
    const ends = lines.map((l, i) => ({l, i, y: y(l.values.at(-1))})).sort((a, b) => b.y - a.y);
    for (const end of ends) {
      end.label = Math.min(end.y + 4, free - 16);
      free = end.label;
    }
    for (const {l, i, label} of ends) {
      const stroke = strokes[i % strokes.length];
      const points = l.values.map((v, e) => `${x(at[e]).toFixed(1)},${y(v).toFixed(1)}`);
      root.append(svg('polyline', {points: points.join(' '), fill: 'none', stroke, 'stroke-width': i ? 1.8 : 2.4,
                                   'stroke-linejoin': 'round', 'stroke-linecap': 'round'}));
      if (at.length < 25)
        l.values.forEach((v, e) => root.append(svg('circle', {cx: x(at[e]), cy: y(v), r: 2.6, fill: stroke})));
      if (right > 50)
        root.append(svg('text', {class: 'strong', x: width - right + 10, y: label, style: `fill:${stroke}`},
                        `${l.name} ${short(l.values.at(-1))}`));
    }

    const rule = svg('line', {class: 'axis', y1: above, y2: height - bottom, visibility: 'hidden'});
    root.append(rule);
    root.addEventListener('pointermove', event => {
      const pointer = event.clientX - root.getBoundingClientRect().left;
      const near = at.reduce((best, e, i) => Math.abs(x(e) - pointer) < Math.abs(x(at[best]) - pointer) ? i : best, 0);
      fill(rule, {x1: x(at[near]), x2: x(at[near]), visibility: 'visible'}, []);
      showCard(event, [h('div', {}, h('b', {}, `${axis} ${at[near]}`), lines.map((l, i) =>
        h('div', {style: `color:${strokes[i % strokes.length]}`}, `${l.name} ${short(l.values[near] ?? NaN)}`)))]);
    });
    root.addEventListener('pointerleave', () => { rule.setAttribute('visibility', 'hidden'); hideCard(); });
    return root;
  }
  const legend = h('div.legend', {}, lines.map((l, i) => h('span', {style: 'display:inline-flex;gap:7px;align-items:center;' +
    'font-size:13px;margin-right:12px'}, h('span.dot', {style: `background:${strokes[i % strokes.length]}`}), l.name)));
  return [responsive(draw), legend];
}

// What training followed, epoch by epoch (or target by target). Curves of different kinds (a loss, a
// count, a share) have a chart each; the terms of one sum, which "total" leads, share one.
function trainingCurves() {
  const lines = data.loss.filter(l => l.values.length);
  if (!lines.length) return;
  const terms = lines[0].name === 'total';
  const chart = some => curves({
    lines: some, at: Array.from({length: Math.max(...some.map(l => l.values.length))}, (_, e) => e + 1),
    axis: terms ? 'epoch' : 'epoch or target', title: some[0].name, flat: !terms});
  section('Training', terms ? 'Loss per image, averaged over each epoch.'
    : 'What each phase followed: a value an epoch, or one each time the target was made anew.',
    ...(terms ? [lines] : lines.map(l => [l])).flatMap(chart));
}

// What other numbers of clusters would give, or a scree plot.
function sweep() {
  if (!data.sweep) return;
  const {title, caption, ...what} = data.sweep;
  section(title, caption, ...curves({...what, title, low: Math.min(...what.lines.flatMap(l => l.values))}));
}

// The card beside the pointer, shared by all figures.
const card = h('div.card', {hidden: ''});
document.body.append(card);
function showCard(event, content) {
  card.replaceChildren(...content);
  card.hidden = false;
  const box = card.getBoundingClientRect(), gap = 16;
  const beside = event.clientX + gap + box.width < innerWidth ? event.clientX + gap : event.clientX - gap - box.width;
  const below = event.clientY + gap + box.height < innerHeight ? event.clientY + gap : event.clientY - gap - box.height;
  card.style.left = Math.max(4, beside) + 'px';
  card.style.top = Math.max(4, below) + 'px';
}
function hideCard() { card.hidden = true; }
