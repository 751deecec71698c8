// HDBSCAN's condensed tree. Downwards the density lambda = 1 / distance grows; a branch is as wide as the
// number of points still in it, and splits where a cluster falls into two. Chosen clusters are coloured.
//
// data.tree.branches: {parent, cluster (-1: not chosen), steps: [[lambda, size], ...]}; parents come first.
function condensedTree() {
  if (!data.tree || data.tree.branches.length < 2) return;
  const branches = data.tree.branches.map((b, index) => ({...b, index, children: []}));
  for (const b of branches) if (b.parent >= 0) branches[b.parent].children.push(b);
  const hdbscan = methods.find(m => m.method.key === 'hdbscan');
  const chosen = b => b.cluster >= 0 && hdbscan ? hdbscan.groups[b.cluster + 1] : null;
  const size = b => b.steps[0][1];

  // A leaf is given room by its size (with a floor, so that small ones stay visible); a parent takes
  // the room of its children. Larger children stand to the left.
  const root = branches[0], floor = size(root) / 90;
  for (const b of [...branches].reverse()) {
    b.children.sort((p, q) => size(q) - size(p));
    b.room = Math.max(size(b), floor, b.children.reduce((sum, c) => sum + c.room, 0) + floor * (b.children.length - 1));
  }
  root.left = 0;
  for (const b of branches) {
    const inner = b.children.reduce((sum, c) => sum + c.room, 0) + floor * Math.max(0, b.children.length - 1);
    let left = b.left + (b.room - inner) / 2;
    for (const c of b.children) { c.left = left; left += c.room + floor; }
  }

  function draw(width) {
    const height = Math.max(320, Math.min(520, width * 0.5));
    const left = 54, above = 22, below = 14;
    const low = data.tree.lambda_min, high = data.tree.lambda_max;
    const x = s => left + 12 + (width - left - 24) * s / root.room;
    const level = v => Math.log(Math.min(high, Math.max(low, v)) / low) / Math.log(high / low);
    const y = v => above + (height - above - below) * level(v);
    const root_ = svg('svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': 'condensed tree'});
    for (const v of logTicks(low, high))
      root_.append(svg('line', {class: 'grid', x1: left, x2: width, y1: y(v), y2: y(v)}),
                   svg('text', {x: left - 8, y: y(v) + 4, 'text-anchor': 'end'}, short(v)));
    root_.append(svg('text', {x: 0, y: 10}, 'λ = 1 / distance'));
    for (const b of branches) {
      const middle = b.left + b.room / 2, group = chosen(b);
      const shown = b.steps.filter(([v], i) => i === 0 || v <= high);
      const edge = side => shown.flatMap(([v, n], i) => {
        const from = x(middle + side * n / 2).toFixed(1), until = y(i + 1 < shown.length ? shown[i + 1][0] : b.end);
        return [`${from},${y(v).toFixed(1)}`, `${from},${until.toFixed(1)}`];
      });
      const shape = svg('polygon', {points: [...edge(-1), ...edge(1).reverse()].join(' '),
        fill: group ? group.colour : 'var(--noise)', 'fill-opacity': group ? 0.92 : 0.4, 'stroke-linejoin': 'round',
        stroke: group ? group.colour : 'var(--noise)', 'stroke-width': 1});
      const leave = b.steps.at(-1);
      shape.addEventListener('pointermove', event => showCard(event, [h('div', {},
        h('b', {}, group ? 'cluster ' + group.name : b.parent < 0 ? 'all points' : 'not chosen'),
        h('div', {}, `${count(size(b))} points at λ ${short(b.steps[0][0])}`),
        h('div', {}, b.children.length ? `splits at λ ${short(b.end)} with ${count(leave[1])} left`
                                       : `last points leave at λ ${short(b.end)}`),
        h('div', {}, `stability ${short(b.stability)}`))]));
      shape.addEventListener('pointerleave', hideCard);
      root_.append(shape);
      if (b.children.length) {
        const span = b.children.map(c => c.left + c.room / 2);
        root_.append(svg('line', {x1: x(Math.min(...span)), x2: x(Math.max(...span)), y1: y(b.end), y2: y(b.end),
                                  stroke: 'var(--quiet)'}));
      }
    }
    for (const b of branches) {
      const group = chosen(b);
      if (group && x(size(b)) - x(0) > 9 * group.name.length)
        root_.append(svg('text', {class: 'strong', x: x(b.left + b.room / 2), y: y(b.steps[0][0]) - 6,
                                  'text-anchor': 'middle'}, group.name));
    }
    return root_;
  }
  section('The condensed tree of HDBSCAN',
    'From top to bottom the points must lie ever closer together to stay. Width: points still in the branch. ' +
    'Coloured: the clusters that were chosen, because they last longest; grey: the branches above and below them.',
    responsive(draw));
}

// 1, 2, 5 times the powers of ten in [low, high].
function logTicks(low, high) {
  const out = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const m of high / low > 300 ? [1] : [1, 2, 5]) {
      const v = m * 10 ** power;
      if (v >= low && v <= high) out.push(v);
    }
  return out;
}
