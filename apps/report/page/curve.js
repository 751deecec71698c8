// What training followed, epoch by epoch (or target by target): one line a curve, named at its end;
// the pointer reads off an epoch. Curves of different kinds (a loss, a count, a share) have a chart
// each; the terms of one sum, which "total" leads, share one.
function trainingCurves() {
  const curves = data.loss.filter(l => l.values.length);
  if (!curves.length) return;
  const terms = curves[0].name === 'total';
  const charts = terms ? [curves] : curves.map(c => [c]);
  section('Training', terms ? 'Loss per image, averaged over each epoch.'
    : 'What each phase followed: a value an epoch, or one each time the target was made anew.',
    ...charts.flatMap(lines => curveChart(lines, terms)));
}

function curveChart(lines, terms) {
  const strokes = ['var(--ink)', '#4269d0', '#e0762b', '#3f9b47'];
  const epochs = Math.max(...lines.map(l => l.values.length));
  const top = Math.max(...lines.flatMap(l => l.values)), low = Math.min(0, ...lines.flatMap(l => l.values));

  function draw(width) {
    const height = terms ? Math.max(240, Math.min(360, width * 0.42)) : 170;
    const left = 54, right = width < 500 ? 12 : terms ? 150 : 260, bottom = 40, above = 12;
    const x = e => left + (width - left - right) * (epochs > 1 ? (e - 1) / (epochs - 1) : 0.5);
    const y = v => above + (height - above - bottom) * (1 - (v - low) / (top - low || 1));
    const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': lines[0].name + ' by epoch'});
    for (const v of ticks(low, top, 5))
      root.append(svg('line', {class: 'grid', x1: left, x2: width - right, y1: y(v), y2: y(v)}),
                  svg('text', {x: left - 8, y: y(v) + 4, 'text-anchor': 'end'}, short(v)));
    for (const e of ticks(1, epochs, Math.min(epochs, width / 90)).filter(Number.isInteger))
      root.append(svg('text', {x: x(e), y: height - bottom + 20, 'text-anchor': 'middle'}, e));
    root.append(svg('text', {x: (left + width - right) / 2, y: height - 3, 'text-anchor': 'middle'}, terms ? 'epoch' : 'epoch or target'));

    // Labels at the lines' ends, pushed apart where they would overlap.
    let free = Infinity;
    const ends = lines.map((l, i) => ({l, i, y: y(l.values.at(-1))})).sort((a, b) => b.y - a.y);
    for (const end of ends) {
      end.label = Math.min(end.y + 4, free - 16);
      free = end.label;
    }
    for (const {l, i, label} of ends) {
      const stroke = strokes[i % strokes.length];
      const points = l.values.map((v, e) => `${x(e + 1).toFixed(1)},${y(v).toFixed(1)}`);
      root.append(svg('polyline', {points: points.join(' '), fill: 'none', stroke, 'stroke-width': i ? 1.8 : 2.4,
                                   'stroke-linejoin': 'round', 'stroke-linecap': 'round'}));
      if (epochs < 25)
        l.values.forEach((v, e) => root.append(svg('circle', {cx: x(e + 1), cy: y(v), r: 2.6, fill: stroke})));
      if (right > 50)
        root.append(svg('text', {class: 'strong', x: width - right + 10, y: label, style: `fill:${stroke}`},
                        `${l.name} ${short(l.values.at(-1))}`));
    }

    const rule = svg('line', {class: 'axis', y1: above, y2: height - bottom, visibility: 'hidden'});
    root.append(rule);
    root.addEventListener('pointermove', event => {
      const at = event.clientX - root.getBoundingClientRect().left;
      const e = Math.round(1 + (epochs - 1) * Math.min(1, Math.max(0, (at - left) / (width - left - right))));
      fill(rule, {x1: x(e), x2: x(e), visibility: 'visible'}, []);
      showCard(event, [h('div', {}, h('b', {}, `epoch ${e}`), lines.map((l, i) =>
        h('div', {style: `color:${strokes[i % strokes.length]}`}, `${l.name} ${short(l.values[e - 1] ?? NaN)}`)))]);
    });
    root.addEventListener('pointerleave', () => { rule.setAttribute('visibility', 'hidden'); hideCard(); });
    return root;
  }
  const legend = h('div.legend', {}, lines.map((l, i) => h('span', {style: 'display:inline-flex;gap:7px;align-items:center;' +
    'font-size:13px;margin-right:12px'}, h('span.dot', {style: `background:${strokes[i % strokes.length]}`}), l.name)));
  return [responsive(draw), legend];
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
