// What was run, the key figures, how to repeat it, and the table of methods and metrics.
function commandLine(label, command) {
  const button = h('button', {type: 'button', onclick: async () => {
    await navigator.clipboard.writeText(command);
    button.textContent = 'copied';
    setTimeout(() => { button.textContent = 'copy'; }, 1500);
  }}, 'copy');
  return [h('h3', {}, label), h('div.command', {}, h('code', {}, command), navigator.clipboard ? button : null)];
}

function headline() {
  document.title = data.title + ' - Clade report';
  page.append(h('header', {},
    h('div.kicker', {}, 'Clade report'),
    h('h1', {}, data.title),
    h('p.lead', {}, data.summary),
    data.figures.length
      ? h('div.figures', {}, data.figures.map(f => h('div', {}, h('b', {}, f.value), h('span', {}, f.name)))) : null,
    data.notes.map(note => h('p.note', {}, note)),
    commandLine('To repeat this run', data.command),
    data.full_command ? commandLine('The full run', data.full_command) : null));
}

// Methods down, metrics across; the best of each column is bold.
function metricsTable() {
  const scored = data.methods.filter(m => m.scores.length);
  if (!scored.length) return;
  const columns = [...new Set(scored.flatMap(m => m.scores.map(s => s.name)))];
  const value = (m, name) => m.scores.find(s => s.name === name)?.value;
  const best = columns.map(c => Math.max(...scored.map(m => value(m, c) ?? -Infinity)));
  const table = h('div.scroll', {}, h('table', {},
    h('thead', {}, h('tr', {}, h('th', {}, 'method'), columns.map(c => h('th.number', {}, c)),
      h('th.number', {}, 'clusters'), h('th.number', {}, 'noise'))),
    h('tbody', {}, scored.map(m => h('tr', {}, h('td.name', {}, m.name),
      columns.map((c, i) => {
        const v = value(m, c);
        return h(v === best[i] && scored.length > 1 ? 'td.number.best' : 'td.number', {},
                 v === undefined ? '–' : v.toFixed(3));
      }),
      h('td.number', {}, m.groups.length - 1),
      h('td.number', {}, m.groups[0].size ? percent(m.groups[0].size / data.n) : '–'))))));
  const treatments = data.methods.flatMap(m => m.noise_treatments.map(t => ({...t, method: m.name})));
  section('Scores', 'Against the labels, which no step before this table has seen. ' +
    'ACC: best one-to-one matching of clusters to classes. NMI, AMI: shared information. ARI: agreement on pairs. ' +
    'All reach 1 when clusters and classes are the same.',
    table,
    treatments.length ? h('div', {style: 'margin-top:30px'},
      h('h3', {}, 'What becomes of the noise: ' + treatments[0].method),
      h('div.scroll', {}, h('table', {}, h('tbody', {}, treatments.map(t =>
        h('tr', {}, h('td.name', {}, t.name), h('td.number', {}, t.value.toFixed(3)),
          h('td.quiet', {}, t.meaning))))))) : null);
}
