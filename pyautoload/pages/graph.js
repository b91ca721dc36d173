"use strict";
// data: {title, directory, editor, nodes: [{name, file, namespace, defines, cycle}], cycles: [{fails, text, members}],
//        edges: [[source, target, kind, line, how]], lines: [{line: text} of each node]}
// kind: 0 import time, 1 in a function, 2 type checking. cycle: index into cycles, or -1.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const KINDS = ["import", "function", "typing"];
const KIND_TEXT = ["import time", "in a function", "type checking"];
const CELL = { width: 168, height: 20, gap: 6 };
const HEADER = 24, PADDING = 8;
// The more levels lie below a namespace, the larger is its title, so that it can be read from farther away.
const headerOf = (levels) => HEADER * Math.pow(1.8, Math.min(levels, 4));
const canvas = byId("canvas"), context = canvas.getContext("2d"), stage = canvas.parentElement;

const nodes = data.nodes.map((node, index) => ({ ...node, index, out: [], in: [], shown: true, x: 0, y: 0 }));
const edges = data.edges.map(([source, target, kind, line, how], index) => {
  const a = nodes[source], b = nodes[target];
  const cycle = kind === 0 && a.cycle >= 0 && a.cycle === b.cycle ? a.cycle : -1;
  const edge = { index, source: a, target: b, kind, line, how, cycle };
  a.out.push(edge);
  b.in.push(edge);
  return edge;
});

// ---- Namespaces: a tree of boxes -------------------------------------------------------------------------------

const boxes = new Map();
function box(name) {
  if (boxes.has(name)) return boxes.get(name);
  const made = { name, short: name.split(".").pop() || "top level", nodes: [], boxes: [], shown: true, parent: null };
  boxes.set(name, made);
  if (name !== "") {
    const at = name.lastIndexOf(".");
    made.parent = box(at < 0 ? "" : name.slice(0, at));
    made.parent.boxes.push(made);
  }
  return made;
}
for (const node of nodes) box(node.namespace).nodes.push(node);
const rootBox = box("");
const countOf = (space) => space.nodes.length + space.boxes.reduce((sum, child) => sum + countOf(child), 0);
const isShown = (space) => space.shown;

// Each box: a header, its modules in a grid, the boxes in it on shelves; sizes bottom up, places top down.
function measure(space) {
  const own = space.nodes.filter((node) => node.shown);
  const children = space.boxes.filter((child) => countShown(child) > 0);
  children.forEach(measure);
  const columns = Math.max(1, Math.round(Math.sqrt((own.length * CELL.height) / CELL.width) * 1.5));
  const rows = Math.ceil(own.length / columns);
  const grid = {
    width: own.length ? Math.min(columns, own.length) * (CELL.width + CELL.gap) - CELL.gap : 0,
    height: rows * (CELL.height + CELL.gap), columns,
  };
  const area = children.reduce((sum, child) => sum + child.width * child.height, grid.width * grid.height);
  const widest = Math.max(grid.width, ...children.map((child) => child.width), Math.sqrt(area) * 1.35);
  const shelves = [];
  let shelf = null;
  for (const child of [...children].sort((a, b) => b.height - a.height || (a.name < b.name ? -1 : 1))) {
    if (!shelf || shelf.width + child.width > widest) {
      shelf = { width: 0, height: 0, boxes: [] };
      shelves.push(shelf);
    }
    shelf.boxes.push([child, shelf.width]);
    shelf.width += child.width + PADDING;
    shelf.height = Math.max(shelf.height, child.height);
  }
  const inner = Math.max(grid.width, CELL.width / 2, ...shelves.map((each) => each.width - PADDING));
  const levels = children.length ? 1 + Math.max(...children.map((child) => child.layout.levels)) : 0;
  const header = space === rootBox ? 0 : headerOf(levels);
  space.layout = { own, grid, shelves, levels, header };
  space.width = inner + 2 * PADDING;
  space.height = header + grid.height + shelves.reduce((sum, each) => sum + each.height + PADDING, 0) + PADDING / 2;
}
function place(space, x, y) {
  Object.assign(space, { x, y });
  const { own, grid, shelves, header } = space.layout;
  own.forEach((node, at) => {
    node.x = x + PADDING + (at % grid.columns) * (CELL.width + CELL.gap);
    node.y = y + header + Math.floor(at / grid.columns) * (CELL.height + CELL.gap);
  });
  let top = y + header + grid.height;
  for (const shelf of shelves) {
    for (const [child, left] of shelf.boxes) place(child, x + PADDING + left, top);
    top += shelf.height + PADDING;
  }
}
function countShown(space) {
  return space.nodes.filter((node) => node.shown).length + space.boxes.reduce((sum, child) => sum + countShown(child), 0);
}

// ---- State -----------------------------------------------------------------------------------------------------

const view = { x: 0, y: 0, scale: 1 };
const state = { node: null, edge: null, hover: null, kinds: [true, true, false], cyclesOnly: false };
const visible = (edge) => state.kinds[edge.kind] && edge.source.shown && edge.target.shown && (!state.cyclesOnly || edge.cycle >= 0);

function applyFilters() {
  for (const node of nodes) {
    const space = boxes.get(node.namespace);
    node.shown = isShown(space) && (!state.cyclesOnly || node.cycle >= 0);
  }
  measure(rootBox);
  place(rootBox, 0, 0);
  const shown = nodes.filter((node) => node.shown).length, lines = edges.filter(visible).length;
  byId("count").textContent = `${shown} of ${nodes.length} modules, ${lines} of ${edges.length} imports`;
  canvas.dataset.shown = shown;
  canvas.dataset.edges = lines;
  draw();
}

// ---- Drawing ---------------------------------------------------------------------------------------------------

const colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "ink", "quiet", "line", "box", "cell", "accent", "import", "function", "typing", "cycle", "tolerated", "mark"])
    colours[name] = style.getPropertyValue("--" + name).trim();
}
let pending = false;
function draw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; paint(); });
}
function paint() {
  const ratio = window.devicePixelRatio || 1;
  const width = stage.clientWidth, height = stage.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.fillStyle = colours.paper;
  context.fillRect(0, 0, width, height);
  context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
  const window_ = { left: -view.x / view.scale, top: -view.y / view.scale, right: (width - view.x) / view.scale, bottom: (height - view.y) / view.scale };
  paintBox(rootBox, window_, 0);
  paintEdges();
  paintNodes(window_);
  paintMarkedEdges();
  titles = [];
  paintTitles(rootBox, window_);
  canvas.dataset.scale = view.scale.toFixed(4);
}
const inView = (x, y, w, h, v) => x < v.right && x + w > v.left && y < v.bottom && y + h > v.top;
function paintBox(space, v, depth) {
  if (!inView(space.x, space.y, space.width, space.height, v)) return;
  if (space !== rootBox) {
    context.fillStyle = depth % 2 ? colours.box : colours.paper;
    context.strokeStyle = colours.line;
    context.lineWidth = 1 / Math.min(1, view.scale);
    context.beginPath();
    context.roundRect(space.x, space.y, space.width, space.height, 5);
    context.fill();
    context.stroke();
  }
  for (const shelf of space.layout.shelves) for (const [child] of shelf.boxes) paintBox(child, v, depth + 1);
}
// Titles keep a readable size on the screen as long as they fit into their box and cover no title drawn before.
let titles = [];
function paintTitles(space, v) {
  if (!inView(space.x, space.y, space.width, space.height, v)) return;
  if (space !== rootBox) paintTitle(space);
  for (const shelf of space.layout.shelves) for (const [child] of shelf.boxes) paintTitles(child, v);
}
function paintTitle(space) {
  const size = Math.max(space.layout.header * 0.55, 11 / view.scale);
  context.font = `600 ${size}px system-ui, sans-serif`;
  const label = space.parent === rootBox ? space.name : space.short;
  const width = context.measureText(label).width;
  if (width > space.width - PADDING || size * 1.3 > space.height) return;
  const area = { x: space.x + PADDING - 2, y: space.y + Math.max(0, space.layout.header - size * 1.3) / 2, w: width + 4, h: size * 1.3 };
  if (titles.some((t) => area.x < t.x + t.w && t.x < area.x + area.w && area.y < t.y + t.h && t.y < area.y + area.h)) return;
  titles.push(area);
  if (area.h > space.layout.header) {
    context.fillStyle = colours.paper;
    context.globalAlpha = 0.8;
    context.fillRect(area.x, area.y, area.w, area.h);
    context.globalAlpha = 1;
  }
  context.textBaseline = "middle";
  context.fillStyle = colours.quiet;
  context.fillText(label, area.x + 2, area.y + area.h / 2);
}
function related() {
  if (state.edge) return new Set([state.edge.source, state.edge.target]);
  if (!state.node) return null;
  const near = new Set([state.node]);
  for (const edge of state.node.out) if (visible(edge)) near.add(edge.target);
  for (const edge of state.node.in) if (visible(edge)) near.add(edge.source);
  return near;
}
function paintNodes(v) {
  const near = related();
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const node of nodes) {
    if (!node.shown || !inView(node.x, node.y, CELL.width, CELL.height, v)) continue;
    context.globalAlpha = near && !near.has(node) ? 0.35 : 1;
    context.fillStyle = node === state.node ? colours.mark : colours.cell;
    const cycle = node.cycle >= 0 ? data.cycles[node.cycle] : null;
    context.strokeStyle = node === state.node || node === state.hover ? colours.accent : cycle ? (cycle.fails ? colours.cycle : colours.tolerated) : colours.line;
    context.lineWidth = node === state.node || cycle ? 2 : 1;
    context.fillRect(node.x, node.y, CELL.width, CELL.height);
    context.strokeRect(node.x, node.y, CELL.width, CELL.height);
    if (CELL.height * view.scale > 8) {
      context.fillStyle = colours.ink;
      context.fillText(shortened(node), node.x + 6, node.y + CELL.height / 2 + 1);
    }
  }
  context.globalAlpha = 1;
}
function shortened(node) {
  const text = node.label;
  return text.length > 26 ? text.slice(0, 25) + "…" : text;
}
function curve(edge) {
  // From side to side of the cells, so that the names stay readable; along the right side within one column.
  const across = edge.target.x - edge.source.x, column = Math.abs(across) < CELL.width;
  const ax = edge.source.x + (column || across > 0 ? CELL.width : 0), ay = edge.source.y + CELL.height / 2;
  const bx = edge.target.x + (column || across < 0 ? CELL.width : 0), by = edge.target.y + CELL.height / 2;
  if (column) return { ax, ay, bx, by, cx: Math.max(ax, bx) + 12 + Math.abs(by - ay) * 0.25, cy: (ay + by) / 2 };
  const bend = 0.1;
  return { ax, ay, bx, by, cx: (ax + bx) / 2 - (by - ay) * bend, cy: (ay + by) / 2 + (bx - ax) * bend };
}
const at = (c, t) => ({ x: (1 - t) * (1 - t) * c.ax + 2 * (1 - t) * t * c.cx + t * t * c.bx, y: (1 - t) * (1 - t) * c.ay + 2 * (1 - t) * t * c.cy + t * t * c.by });
function colourOf(edge) {
  if (edge.cycle >= 0) return data.cycles[edge.cycle].fails ? colours.cycle : colours.tolerated;
  return colours[KINDS[edge.kind]];
}
function strokeEdge(edge, width, arrow) {
  const c = curve(edge);
  context.strokeStyle = colourOf(edge);
  context.lineWidth = width / Math.min(1, view.scale);
  context.setLineDash(edge.kind === 1 ? [6, 4] : edge.kind === 2 ? [2, 4] : []);
  context.beginPath();
  context.moveTo(c.ax, c.ay);
  context.quadraticCurveTo(c.cx, c.cy, c.bx, c.by);
  context.stroke();
  context.setLineDash([]);
  if (!arrow) return;
  const tip = at(c, 0.62), back = at(c, 0.58), angle = Math.atan2(tip.y - back.y, tip.x - back.x);
  const size = 7 / Math.min(1, view.scale);
  context.fillStyle = context.strokeStyle;
  context.beginPath();
  context.moveTo(tip.x, tip.y);
  context.lineTo(tip.x - size * Math.cos(angle - 0.45), tip.y - size * Math.sin(angle - 0.45));
  context.lineTo(tip.x - size * Math.cos(angle + 0.45), tip.y - size * Math.sin(angle + 0.45));
  context.fill();
}
const chosenEdges = () => (state.edge ? [state.edge] : state.node ? [...state.node.out, ...state.node.in].filter(visible) : []);
function paintEdges() {
  const chosen = chosenEdges().length > 0;
  const many = edges.length > 400;
  context.globalAlpha = chosen ? 0.05 : edges.length > 3000 ? 0.1 : many ? 0.18 : 0.5;
  if (!many) for (const edge of edges) { if (visible(edge) && edge.cycle < 0) strokeEdge(edge, 1, true); }
  else for (const kind of [0, 1, 2]) strokeMany(edges.filter((edge) => edge.kind === kind && edge.cycle < 0 && visible(edge)), kind);
  context.globalAlpha = 1;
}
// Some hundred curves in one stroke take a fraction of the time of as many strokes.
function strokeMany(list, kind) {
  context.strokeStyle = colours[KINDS[kind]];
  context.lineWidth = 1 / Math.min(1, view.scale);
  for (let start = 0; start < list.length; start += 250) {
    context.beginPath();
    for (let index = start; index < Math.min(start + 250, list.length); index++) {
      const c = curve(list[index]);
      if (outside(c)) continue;
      context.moveTo(c.ax, c.ay);
      context.quadraticCurveTo(c.cx, c.cy, c.bx, c.by);
    }
    context.stroke();
  }
}
function outside(c) {
  const left = -view.x / view.scale, top = -view.y / view.scale;
  const right = left + stage.clientWidth / view.scale, bottom = top + stage.clientHeight / view.scale;
  return Math.max(c.ax, c.bx, c.cx) < left || Math.min(c.ax, c.bx, c.cx) > right || Math.max(c.ay, c.by, c.cy) < top || Math.min(c.ay, c.by, c.cy) > bottom;
}
// Above the modules: cycles, and what is chosen.
function paintMarkedEdges() {
  const chosen = chosenEdges();
  context.globalAlpha = chosen.length ? 0.25 : 0.85;
  for (const edge of edges) if (visible(edge) && edge.cycle >= 0) strokeEdge(edge, 1.6, true);
  context.globalAlpha = 1;
  for (const edge of chosen) strokeEdge(edge, 1.8, true);
}

// ---- Moving about ----------------------------------------------------------------------------------------------

function zoom(factor, x, y) {
  const scale = Math.min(6, Math.max(0.01, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  draw();
}
function fit(space = rootBox) {
  const width = stage.clientWidth, height = stage.clientHeight;
  view.scale = Math.min(2, 0.96 * Math.min(width / space.width, height / space.height));
  view.x = (width - space.width * view.scale) / 2 - space.x * view.scale;
  view.y = (height - space.height * view.scale) / 2 - space.y * view.scale;
  draw();
}
function centre(node) {
  view.scale = Math.max(view.scale, 1);
  view.x = stage.clientWidth / 2 - (node.x + CELL.width / 2) * view.scale;
  view.y = stage.clientHeight / 2 - (node.y + CELL.height / 2) * view.scale;
  draw();
}
const world = (event) => {
  const area = canvas.getBoundingClientRect();
  return { x: (event.clientX - area.left - view.x) / view.scale, y: (event.clientY - area.top - view.y) / view.scale, sx: event.clientX - area.left, sy: event.clientY - area.top };
};
const nodeAt = (p) => nodes.find((node) => node.shown && p.x >= node.x && p.x <= node.x + CELL.width && p.y >= node.y && p.y <= node.y + CELL.height) || null;
function edgeAt(p) {
  const candidates = state.node ? [...state.node.out, ...state.node.in] : edges;
  const reach = 6 / view.scale;
  let best = null, least = reach * reach;
  for (const edge of candidates) {
    if (!visible(edge)) continue;
    const c = curve(edge);
    for (let t = 0.04; t < 1; t += 0.04) {
      const q = at(c, t), distance = (q.x - p.x) ** 2 + (q.y - p.y) ** 2;
      if (distance < least) { least = distance; best = edge; }
    }
  }
  return best;
}
function boxAt(p, space = rootBox) {
  for (const shelf of space.layout.shelves)
    for (const [child] of shelf.boxes)
      if (p.x >= child.x && p.x <= child.x + child.width && p.y >= child.y && p.y <= child.y + child.height) return boxAt(p, child);
  return space;
}
let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.clientX, y: event.clientY, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (drag) {
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (drag.moved || Math.abs(dx) + Math.abs(dy) > 3) {
      view.x += dx;
      view.y += dy;
      Object.assign(drag, { x: event.clientX, y: event.clientY, moved: true });
      canvas.classList.add("dragging");
      draw();
    }
    return;
  }
  const p = world(event), node = nodeAt(p), tip = byId("tip");
  if (node !== state.hover) { state.hover = node; draw(); }
  tip.style.display = node ? "block" : "none";
  if (node) {
    tip.textContent = `${node.defines || node.name} — ${node.file}`;
    tip.style.left = Math.min(p.sx + 14, stage.clientWidth - 300) + "px";
    tip.style.top = p.sy + 16 + "px";
  }
});
canvas.addEventListener("pointerup", (event) => {
  canvas.classList.remove("dragging");
  const moved = drag && drag.moved;
  drag = null;
  if (moved) return;
  const p = world(event), node = nodeAt(p);
  if (node) select(node);
  else {
    const edge = edgeAt(p);
    if (edge) selectEdge(edge);
    else select(null);
  }
});
canvas.addEventListener("dblclick", (event) => { const p = world(event); if (!nodeAt(p)) fit(boxAt(p)); });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const p = world(event);
  zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), p.sx, p.sy);
}, { passive: false });
byId("in").onclick = () => zoom(1.4, stage.clientWidth / 2, stage.clientHeight / 2);
byId("out").onclick = () => zoom(1 / 1.4, stage.clientWidth / 2, stage.clientHeight / 2);
byId("fit").onclick = () => fit();

// ---- The panel on the right ------------------------------------------------------------------------------------

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
function show(node) {
  if (!node.shown) {
    for (let space = boxes.get(node.namespace); space; space = space.parent) space.shown = true;
    if (state.cyclesOnly && node.cycle < 0) { state.cyclesOnly = false; byId("cycles").checked = false; }
    drawNamespaces();
    applyFilters();
  }
}
function select(node, move = false) {
  state.node = node;
  state.edge = null;
  if (node) {
    show(node);
    if (move) centre(node);
    history.replaceState(null, "", "#" + node.name);
  }
  fillPanel();
  draw();
}
function selectEdge(edge) {
  state.edge = edge;
  state.node = null;
  fillPanel();
  draw();
}
function editorLink(node, line) {
  const path = encodeURI(data.directory + "/" + node.file).replace(/#/g, "%23");
  return data.editor.replace("{path}", path).replace("{line}", line || 1);
}
function place_(node, line) {
  return element("a", { href: editorLink(node, line), title: "open in the editor", className: "open", textContent: `${node.file}${line ? ":" + line : ""}` });
}
function excerpt(edge) {
  const known = data.lines[edge.source.index] || {}, pre = element("pre", { className: "excerpt" });
  for (let line = edge.line - 3; line <= edge.line + 3; line++) {
    if (!(line in known)) continue;
    const row = element("span", line === edge.line ? { className: "at" } : {}, element("i", { textContent: line }), known[line]);
    row.dataset.line = line;
    pre.append(row);
  }
  return pre;
}
function edgeItem(edge, other) {
  const item = element("li");
  const name = element("button", { className: "link module", textContent: other.name, onclick: () => select(other, true) });
  const line = element("button", { className: "link line", textContent: "line " + edge.line, title: "show the import" });
  const kind = element("span", { textContent: KIND_TEXT[edge.kind], className: "badge" });
  kind.style.color = colourOf(edge);
  line.onclick = () => {
    const open = item.querySelector(".source");
    if (open) open.remove();
    else item.append(element("div", { className: "source" }, place_(edge.source, edge.line), excerpt(edge)));
  };
  item.append(name, " ", line, " ", kind);
  return item;
}
function fillPanel() {
  const panel = byId("panel");
  panel.replaceChildren();
  const { node, edge } = state;
  panel.dataset.module = node ? node.name : "";
  if (edge) {
    panel.append(element("h2", { textContent: "Import" }),
      element("p", {}, element("button", { className: "link module", textContent: edge.source.name, onclick: () => select(edge.source, true) }), " imports ",
        element("button", { className: "link module", textContent: edge.target.name, onclick: () => select(edge.target, true) }), ` (${KIND_TEXT[edge.kind]})`),
      element("div", { className: "source" }, place_(edge.source, edge.line), excerpt(edge)));
    return;
  }
  if (!node) {
    panel.append(element("p", { className: "quiet", textContent: "Click a module or an import. Drag to move, turn the wheel to zoom, double-click a namespace to fill the view with it." }));
    return;
  }
  panel.append(element("h2", { textContent: node.defines || node.name }), element("p", {}, element("span", { className: "quiet", textContent: node.name + " " }), element("br"), place_(node, 0)));
  if (node.cycle >= 0) {
    const cycle = data.cycles[node.cycle], badge = element("span", { className: "badge", textContent: cycle.fails ? "cycle that fails" : "tolerated cycle" });
    badge.style.color = cycle.fails ? colours.cycle : colours.tolerated;
    panel.append(element("p", {}, badge, " " + cycle.text));
  }
  for (const [title, list, side] of [["Imports", node.out, "target"], ["Imported by", node.in, "source"]]) {
    panel.append(element("h2", { textContent: `${title} (${list.length})` }));
    panel.append(element("ul", { className: side }, ...list.map((each) => edgeItem(each, each[side]))));
  }
}

// ---- Search ----------------------------------------------------------------------------------------------------

const search = byId("search"), results = byId("results");
let current = 0, matches = [];
function rank(node, words) {
  const text = (node.name + " " + (node.defines || "")).toLowerCase();
  if (!words.every((word) => text.includes(word))) return -1;
  const last = (node.defines || node.name).split(".").pop().toLowerCase(), stem = node.name.split(".").pop().toLowerCase();
  return last === words[0] || stem === words[0] ? 0 : last.startsWith(words[0]) || stem.startsWith(words[0]) ? 1 : 2;
}
function updateResults() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  matches = words.length ? nodes.map((node) => [rank(node, words), node]).filter(([r]) => r >= 0).sort((a, b) => a[0] - b[0] || (a[1].name < b[1].name ? -1 : 1)).slice(0, 50).map(([, node]) => node) : [];
  current = 0;
  results.replaceChildren(...matches.map((node, index) => element("li", { textContent: node.defines ? `${node.defines} — ${node.name}` : node.name, className: index ? "" : "current", onmousedown: (event) => { event.preventDefault(); choose(node); } })));
  if (words.length && !matches.length) results.append(element("li", { textContent: "nothing matches", className: "quiet" }));
}
function choose(node) {
  search.value = "";
  updateResults();
  search.blur();
  select(node, true);
}
search.addEventListener("input", updateResults);
search.addEventListener("blur", () => setTimeout(() => results.replaceChildren(), 100));
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && matches[current]) choose(matches[current]);
  else if (event.key === "Escape") { search.value = ""; updateResults(); search.blur(); }
  else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && matches.length) {
    event.preventDefault();
    current = (current + (event.key === "ArrowDown" ? 1 : matches.length - 1)) % matches.length;
    [...results.children].forEach((item, index) => { item.className = index === current ? "current" : ""; });
    results.children[current].scrollIntoView({ block: "nearest" });
  }
});
addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" && event.target.type === "search") return;
  if (event.key === "/") { event.preventDefault(); search.focus(); }
  else if (event.key === "+") byId("in").click();
  else if (event.key === "-") byId("out").click();
  else if (event.key === "0") fit();
  else if (event.key === "Escape") select(null);
});

// ---- Filters ---------------------------------------------------------------------------------------------------

function setShown(space, shown) {
  space.shown = shown;
  space.boxes.forEach((child) => setShown(child, shown));
}
function namespaceItem(space) {
  const box_ = element("input", { type: "checkbox", checked: space.shown });
  box_.dataset.namespace = space.name;
  box_.onchange = () => { setShown(space, box_.checked); drawNamespaces(); applyFilters(); };
  const only = element("button", { className: "link", textContent: space === rootBox ? "top level" : space.short, title: "show only " + space.name });
  only.dataset.only = space.name;
  only.onclick = () => { setShown(rootBox, false); setShown(space, true); drawNamespaces(); applyFilters(); fit(); };
  const item = element("li", {}, box_, " ", only, " ", element("span", { className: "quiet", textContent: countOf(space) }));
  const children = [...space.boxes].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (children.length) item.append(element("ul", {}, ...children.map(namespaceItem)));
  return item;
}
function drawNamespaces() {
  const tops = rootBox.nodes.length ? [rootBox] : [...rootBox.boxes].sort((a, b) => (a.name < b.name ? -1 : 1));
  byId("namespaces").replaceChildren(...tops.map(namespaceItem));
}
byId("all").onclick = () => { setShown(rootBox, true); drawNamespaces(); applyFilters(); fit(); };
byId("none").onclick = () => { setShown(rootBox, false); drawNamespaces(); applyFilters(); };
for (const input of document.querySelectorAll("[data-kind]"))
  input.onchange = () => { state.kinds[input.dataset.kind] = input.checked; applyFilters(); };
byId("cycles").onchange = () => { state.cyclesOnly = byId("cycles").checked; applyFilters(); fit(); };
byId("cyclelist").append(...(data.cycles.length ? data.cycles.map((cycle) => {
  const badge = element("span", { className: "badge", textContent: cycle.fails ? "fails" : "tolerated" });
  badge.style.color = `var(--${cycle.fails ? "cycle" : "tolerated"})`;
  return element("li", {}, badge, " ", element("button", { className: "link cycle", textContent: cycle.text, onclick: () => select(nodes[cycle.members[0]], true) }));
}) : [element("li", { className: "quiet", textContent: "none" })]));

// ---- Start -----------------------------------------------------------------------------------------------------

for (const node of nodes) node.label = node.defines ? node.defines.split(".").pop() : node.name.split(".").pop();
byId("heading").textContent = data.title;
readColours();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
new ResizeObserver(draw).observe(stage);
drawNamespaces();
applyFilters();
fit();
const wanted = decodeURIComponent(location.hash.slice(1));
const linked = nodes.find((node) => node.name === wanted || node.defines === wanted);
select(linked || null, true);
// For tests, and for those who script the page: where a module is on the screen.
window.pyautoload = {
  nodes, edges, view,
  positionOf(name) {
    const node = nodes.find((each) => each.name === name), area = canvas.getBoundingClientRect();
    return { x: area.left + view.x + (node.x + CELL.width / 2) * view.scale, y: area.top + view.y + (node.y + CELL.height / 2) * view.scale };
  },
  middleOf(index) {
    const q = at(curve(edges[index]), 0.5), area = canvas.getBoundingClientRect();
    return { x: area.left + view.x + q.x * view.scale, y: area.top + view.y + q.y * view.scale };
  },
};
