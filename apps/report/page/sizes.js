// How large each cluster is, of which classes it is made, and what its members look like; noise apart.
function clusterSizes() {
  const found = methods.filter(m => m.groups.length > 1);
  if (!found.length) return;
  const body = h('div');

  // Up to `wanted` drawn points of a group that carry an image.
  const faces = (m, group, wanted) => {
    const out = [];
    for (let i = 0; thumbs && i < thumbs.count && out.length < wanted; i++) if (m.of[i] === group) out.push(i);
    return out;
  };
  function row(m, g, index, largest) {
    const parts = classes ? g.by_class.map((n, c) => ({n, c})).filter(p => p.n).sort((a, b) => b.n - a.n) : [];
    const major = g.noise ? null : parts.find(p => p.c);
    const track = g.noise
      ? h('div.track.noise', {style: `width:${100 * g.size / largest}%`})
      : h('div.track', {style: `width:${100 * g.size / largest}%`}, parts.length
          ? parts.map(p => h('span', {title: `${classes.groups[p.c].name}: ${count(p.n)}`,
              style: `flex:${p.n} 0 0;background:${classes.groups[p.c].colour}`}))
          : h('span', {style: `flex:1;background:${g.colour}`}));
    return [
      h('div.who', {}, h('span.dot', {style: `background:${g.colour}`}), g.name),
      track,
      h('div.tell', {}, `${count(g.size)} · ${percent(g.size / data.n)}` +
        (major ? ` · class ${classes.groups[major.c].name}: ${percent(major.n / g.size, 0)}` : '')),
      thumbs ? h('div.faces', {}, faces(m, index, 24).map(i => sprite(thumbs, i, 30))) : null];
  }
  function show(m) {
    const order = m.groups.map((g, i) => ({g, i})).slice(1).sort((a, b) => b.g.size - a.g.size);
    const kept = order.slice(0, 60), rest = order.slice(60);
    const largest = Math.max(...m.groups.map(g => g.size));
    body.replaceChildren(h('div.sizes', {}, kept.map(({g, i}) => row(m, g, i, largest)),
      m.groups[0].size ? [h('div.rule'), row(m, m.groups[0], 0, largest)] : null),
      rest.length ? h('p.caption', {}, `and ${rest.length} smaller clusters of ` +
        `${count(rest.reduce((s, {g}) => s + g.size, 0))} points together`) : '');
  }
  show(found[0]);
  section('Clusters', classes
    ? 'Each bar is one cluster; its colours are the classes inside it, the largest first and named at the right.'
    : 'Each bar is one cluster.',
    found.length > 1 ? h('div.bar', {}, choice(found.map(m => m.name), 0, i => show(found[i]))) : null, body);
}
