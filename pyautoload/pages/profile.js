"use strict";
// data: {total, imports: [{name, file, library, self, cumulative, start, importer, place, parent, failed}]}, in seconds.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const ROW = 22;

const root = { name: "all imports", children: [], depth: 0, parent: null, library: false, self: 0, cumulative: 0, place: null };
const all = data.imports.map((each) => ({ ...each, children: [] }));
for (const each of all) {
  each.parent = each.parent === null ? root : all[each.parent];
  each.parent.children.push(each);
}
for (const each of all) each.depth = each.parent.depth + 1;
root.cumulative = root.children.reduce((sum, each) => sum + each.cumulative, 0);
let focus = root, words = "";

const ms = (seconds) => (seconds * 1000).toFixed(2);
const matches = (each) => words !== "" && each.name.toLowerCase().includes(words);
// One colour for each namespace, the same on every page; grey for libraries.
function colour(each) {
  if (each === root) return "#d0d7de";
  if (each.library) return "hsl(0 0% 80%)";
  let hash = 0;
  for (const char of each.name.split(".").slice(0, -1).join(".")) hash = (hash * 31 + char.codePointAt(0)) % 360;
  return `hsl(${hash} 62% 76%)`;
}

// Only what is wide enough to be seen becomes an element, so ten thousand modules are no burden.
function drawIcicle() {
  const stage = byId("icicle"), width = stage.clientWidth, unit = width / (focus.cumulative || 1);
  const drawn = [];
  let deepest = 0;
  const above = [];
  for (let each = focus.parent; each; each = each.parent) above.unshift(each);
  for (const each of above) drawn.push(block(each, 0, width, each.depth));
  function visit(each, left) {
    const wide = each.cumulative * unit;
    if (wide < 0.7) return;
    deepest = Math.max(deepest, each.depth);
    drawn.push(block(each, left, wide, each.depth));
    let x = left;
    for (const child of each.children) {
      visit(child, x);
      x += child.cumulative * unit;
    }
  }
  visit(focus, 0);
  stage.style.height = (deepest + 1) * ROW + "px";
  stage.replaceChildren(...drawn);
}
function block(each, left, wide, depth) {
  const made = document.createElement("div");
  made.style.cssText = `left:${left}px;top:${depth * ROW}px;width:${wide}px;background:${colour(each)}`;
  made.className = (matches(each) ? "found " : "") + (each.failed ? "failed" : "");
  made.dataset.name = each.name;
  if (wide < 12) made.style.padding = made.style.borderWidth = "0";
  if (wide > 24) made.textContent = `${each === root || each.library ? each.name : each.name.split(".").pop()} ${ms(each.cumulative)}`;
  made.onclick = () => zoom(each);
  made.onmousemove = (event) => {
    const tip = byId("tip");
    tip.style.display = "block";
    tip.style.left = Math.min(event.clientX + 12, innerWidth - 320) + "px";
    tip.style.top = event.clientY + 14 + "px";
    tip.textContent = `${each.name}: ${ms(each.cumulative)} ms, ${ms(each.self)} ms of its own` + (each.place ? `; imported first by ${each.importer || ""} at ${each.place}` : "") + (each.failed ? "; failed" : "");
  };
  made.onmouseleave = () => { byId("tip").style.display = "none"; };
  return made;
}
function zoom(each) {
  focus = each;
  drawIcicle();
  drawTable();
}

// ---- The table -------------------------------------------------------------------------------------------------

let order = { key: "self", down: true };
const percent = (seconds) => `${((100 * seconds) / (root.cumulative || 1)).toFixed(1)} %`;
function drawTable() {
  const { key, down } = order;
  // The part that is zoomed into, and what was imported in it.
  const inFocus = (each) => { for (let up = each; up; up = up.parent) if (up === focus) return true; return focus === root; };
  const shown = all.filter((each) => inFocus(each) && (words === "" || matches(each))).sort((a, b) => {
    const left = a[key] ?? "", right = b[key] ?? "";
    return (left < right ? -1 : left > right ? 1 : 0) * (down ? -1 : 1);
  });
  byId("rows").replaceChildren(...shown.slice(0, 1000).map((each) => {
    const row = document.createElement("tr");
    for (const [text, number] of [[ms(each.self), true], [ms(each.cumulative), true], [percent(each.cumulative), true], [each.name + (each.library ? " (library)" : "") + (each.failed ? " (failed)" : ""), false], [each.place ? `${each.importer || ""} (${each.place})` : "", false]]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      if (number) cell.className = "number";
      row.append(cell);
    }
    row.onclick = () => { zoom(each); scrollTo(0, 0); };
    return row;
  }));
  const modules = all.filter((each) => !each.library).length;
  byId("count").textContent = `${modules} modules, ${all.length - modules} imports of libraries, ${ms(root.cumulative)} ms in imports, ${ms(data.total)} ms in all` + (words ? `; ${shown.length} found` : "");
}
for (const head of document.querySelectorAll("th"))
  head.onclick = () => {
    const key = head.dataset.key;
    order = { key, down: order.key === key ? !order.down : key === "self" || key === "cumulative" };
    drawTable();
  };
byId("search").addEventListener("input", () => { words = byId("search").value.trim().toLowerCase(); drawIcicle(); drawTable(); });
byId("reset").onclick = () => zoom(root);
addEventListener("keydown", (event) => {
  if (event.target.type === "search") return;
  if (event.key === "/") { event.preventDefault(); byId("search").focus(); }
  if (event.key === "0" || event.key === "Escape") zoom(root);
});
byId("heading").textContent = document.title;
new ResizeObserver(drawIcicle).observe(byId("icicle").parentElement);
drawTable();
drawIcicle();
