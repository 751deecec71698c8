// How long each stage took, and all that a repetition needs to know; then the page is put together.
function times() {
  const stages = data.times.filter(t => t.seconds > 0);
  const longest = Math.max(...stages.map(t => t.seconds)), total = stages.reduce((sum, t) => sum + t.seconds, 0);
  const bars = stages.map(t => [h('span', {}, t.name), h('i', {style: `width:${100 * t.seconds / longest}%`}),
                                h('span', {}, seconds(t.seconds))]);
  section('The run', null, h('div.two', {},
    h('div', {}, h('h3', {}, 'Time by stage'), h('div.times', {}, bars,
      h('b', {}, 'together'), h('span'), h('b', {}, seconds(total)))),
    h('div', {}, h('h3', {}, 'Settings'), h('dl', {}, data.settings.flatMap(s => [h('dt', {}, s.name), h('dd', {}, s.value)])))));
}

headline();
metricsTable();
scatter();
samples();
clusterSizes();
condensedTree();
trainingCurves();
sweep();
times();
