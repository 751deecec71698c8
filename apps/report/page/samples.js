// Original, seen and reconstructed images under one another; what was missing shows the hatching.
function samples() {
  const atlas = openAtlas(data.samples);
  if (!atlas) return;
  const size = Math.min(96, Math.max(44, Math.floor((page.clientWidth - 180) / atlas.columns) - 8));
  const grid = h('div.samples', {style: `grid-template-columns:max-content repeat(${atlas.columns}, max-content)`},
    atlas.names.map((name, r) => [h('div.label', {}, name),
      ...Array.from({length: atlas.columns}, (_, c) => sprite(atlas, r * atlas.columns + c, size))]));
  section('Images', data.samples.caption, h('div.scroll', {}, grid));
}
