// What every figure needs: the run's data, elements, colours, numbers, sprites.
const data = JSON.parse(document.getElementById('data').textContent);
const page = document.getElementById('page');

// Arrays come as base64 of their little-endian bytes.
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const u16 = text => new Uint16Array(bytes(text).buffer);
const u32 = text => new Uint32Array(bytes(text).buffer);

// h('div.card', {title: 'x', onclick: f}, child, ...) makes an element; svg(...) the same for SVG.
function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {}))
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
  return element;
}
function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  return fill(element, attributes, children);
}
const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

function section(title, caption, ...content) {
  const element = h('section', {}, h('h2', {}, title), caption ? h('p.caption', {}, caption) : null, ...content);
  page.append(element);
  return element;
}

// Draws again whenever the element's width changes, so that text keeps its size.
function responsive(draw) {
  const element = h('div.plot');
  let last = 0;
  new ResizeObserver(() => requestAnimationFrame(() => {
    const width = element.clientWidth;
    if (width && width !== last) element.replaceChildren(draw(last = width));
  })).observe(element);
  return element;
}

// A row of buttons of which one is on.
function choice(names, chosen, pick) {
  const buttons = names.map((name, i) => h('button', {type: 'button', onclick: () => press(i)}, name));
  const show = i => buttons.forEach((b, j) => b.setAttribute('aria-pressed', i === j));
  const press = i => { show(i); pick(i); };
  show(chosen);
  return h('div.choice', {role: 'group'}, buttons);
}

const percent = (x, digits = 1) => (100 * x).toFixed(digits) + ' %';
const count = n => n.toLocaleString('en-US');
const short = x => Math.abs(x) >= 1e7 ? x.toExponential(2) : Math.abs(x) >= 1e5 ? count(Math.round(x)) : String(+x.toPrecision(4));
const seconds = s => s < 0.995 ? (1000 * s).toFixed(0) + ' ms' : s < 59.95 ? s.toFixed(1) + ' s'
  : s < 3600 ? Math.floor(s / 60) + ' min ' + String(Math.floor(s % 60)).padStart(2, '0') + ' s'
  : Math.floor(s / 3600) + ' h ' + String(Math.floor(s % 3600 / 60)).padStart(2, '0') + ' min';

// About `wanted` round numbers that cover [low, high].
function ticks(low, high, wanted) {
  const raw = (high - low || 1) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(m => m * power >= raw) * power;
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) out.push(+(i * step).toPrecision(12));
  return out;
}

// Twenty colours told apart on paper and on black; further ones by the golden angle.
const palette = ['#4269d0', '#efb118', '#ff725c', '#46b3a0', '#3f9b47', '#f57fb0', '#9a5cf0', '#6fa8f2',
                 '#9c6b4e', '#b9c43c', '#1d7f9f', '#b5347a', '#7b8420', '#e0562b', '#5a4ab8', '#d99a6c',
                 '#2a7a62', '#c66bd0', '#86c972', '#8a4545'];
const colour = i => i < palette.length ? palette[i] : `hsl(${(i * 137.508) % 360} 55% 55%)`;
const noiseColour = '#9a9fa8';

// -- groupings: the classes and each method's clusters, in one form --------------------------------
// {name, of: group of each drawn point, groups: [{name, colour, size, noise}]}; group 0 is what belongs
// to none. A cluster takes the colour of the class that it shares most points with, if it is free.
function classGrouping() {
  if (!data.classes) return null;
  return {name: 'class', of: u16(data.classes.of), groups: data.classes.groups.map((g, i) =>
    ({...g, colour: i ? colour(i - 1) : noiseColour, noise: i === 0}))};
}
// All points in one colour, where nothing tells them apart; group 0 holds none.
function oneGroup() {
  const n = data.points.shown;
  return {name: 'row', of: new Uint16Array(n).fill(1), groups: [{name: 'none', size: 0, colour: noiseColour, noise: true},
                                                                {name: 'rows', size: n, colour: colour(0), noise: false}]};
}
function methodGrouping(method, classes) {
  const groups = method.groups.map((g, i) => ({...g, noise: i === 0, colour: noiseColour}));
  const taken = new Set();
  if (classes) {
    const pairs = groups.slice(1).flatMap(g => g.by_class.map((n, c) => ({g, c, n})));
    for (const {g, c, n} of pairs.sort((a, b) => b.n - a.n))
      if (c && n && g.colour === noiseColour && !taken.has(c)) { g.colour = colour(c - 1); taken.add(c); }
  }
  let next = classes ? classes.groups.length - 1 : 0;
  for (const g of groups.slice(1)) if (g.colour === noiseColour) g.colour = colour(next++);
  return {name: method.name, method, of: u16(method.of), groups};
}
const classes = classGrouping();
const methods = data.methods.map(m => methodGrouping(m, classes));

// -- sprites: image `index` of an atlas, fitted into a square of `size` pixels ----------------------
function openAtlas(atlas) {
  if (!atlas) return null;
  return {...atlas, url: URL.createObjectURL(new Blob([bytes(atlas.png)], {type: 'image/png'}))};
}
function sprite(atlas, index, size) {
  const scale = size / Math.max(atlas.width, atlas.height);
  const w = atlas.width * scale, t = atlas.height * scale;
  const column = index % atlas.columns, row = Math.floor(index / atlas.columns);
  return h('span.sprite', {style: `width:${w}px;height:${t}px`},
    h('i', {style: `background-image:url(${atlas.url});background-position:${-column * w}px ${-row * t}px;` +
                   `background-size:${atlas.columns * w}px ${atlas.rows * t}px`}));
}
const thumbs = openAtlas(data.thumbs);
