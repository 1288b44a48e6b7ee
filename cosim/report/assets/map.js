"use strict";
window.suandian = (function () {
  const data = window.suandian.data;
  const cache = {};
  function unpack(number) {
    if (!(number in cache)) {
      // 32-bit floats, or lowest value, step and 16-bit steps above it, 65535 where there is no value
      const packed = data.arrays[number], coarse = Array.isArray(packed);
      const bytes = Uint8Array.from(atob(coarse ? packed[2] : packed), c => c.charCodeAt(0));
      cache[number] = coarse ? Float32Array.from(new Uint16Array(bytes.buffer), k => (k === 65535 ? NaN : packed[0] + k * packed[1]))
        : new Float32Array(bytes.buffer);
    }
    return cache[number];
  }
  return { data: data, unpack: unpack, seek: null };
})();
(function () {
  const data = window.suandian.data, unpack = window.suandian.unpack, map = data.map;
  if (!map) return;
  const LOADING = [[50, "#a9bccb", "below 50 %"], [80, "#3e7cb1", "50 to 80 %"], [100, "#e69f00", "80 to 100 %"],
    [Infinity, "#b2182b", "above 100 %"]];
  const VOLTAGE = [[0.93, "#40004b", "below 0.93 pu"], [0.97, "#9970ab", "0.93 to 0.97"], [1.03, "#ffffff", "0.97 to 1.03"],
    [1.07, "#f1a340", "1.03 to 1.07"], [Infinity, "#a63603", "above 1.07"]];
  const NS = "http://www.w3.org/2000/svg", OUT = "#9aa5af";
  const svg = document.getElementById("mapsvg"), tip = document.getElementById("maptip");
  const N = map.bus.length, frames = map.t_s.length, vm = unpack(map.vm);
  const colour = (scale, v) => (v === v ? scale.find(s => v < s[0])[1] : OUT);
  const make = (tag, attributes, parent) => {
    const e = document.createElementNS(NS, tag);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (parent) parent.append(e);
    return e;
  };
  const round = (v, digits) => (v === v ? Number(v.toFixed(digits)).toString() : "no value");

  // projection: equirectangular about the middle, true in both directions there
  const lats = map.lat.concat(map.outline.map(p => p[0])), lons = map.lon.concat(map.outline.map(p => p[1]));
  const mid = (Math.min(...map.lat) + Math.max(...map.lat)) / 2, squeeze = Math.cos(mid * Math.PI / 180);
  const west = Math.min(...lons), north = Math.max(...lats);
  const spanX = (Math.max(...lons) - west) * squeeze || 1, spanY = north - Math.min(...lats) || 1;
  const W = 860, PAD = 34, scale = Math.min((W - 2 * PAD) / spanX, 740 / spanY);
  const H = Math.max(spanY * scale, 240) + 2 * PAD, shift = (W - spanX * scale) / 2;
  const px = (lat, lon) => [shift + (lon - west) * squeeze * scale, PAD + (north - lat) * scale];
  svg.setAttribute("viewBox", "0 0 " + W + " " + H.toFixed(0));

  if (map.schematic) document.getElementById("mapnote").hidden = false;
  // several buses of one place stand beside each other, highest voltage at the place itself
  const kv = map.kv, rank = Array.from(kv.keys()).sort((a, b) => kv[b] - kv[a]), at = {}, xy = [];
  for (const i of rank) {
    const key = map.lat[i].toFixed(map.schematic ? 6 : 2) + "/" + map.lon[i].toFixed(map.schematic ? 6 : 2), k = (at[key] = (at[key] || 0) + 1) - 1;
    const p = px(map.lat[i], map.lon[i]);
    xy[i] = [p[0] + 9 * k, p[1] + 9 * k];
  }
  const width = v => (v >= 750 ? 4 : v >= 400 ? 2.8 : v >= 200 ? 1.7 : 1.1);
  const radius = v => (v >= 750 ? 6.5 : v >= 400 ? 5.2 : v >= 200 ? 3.8 : 2.8);

  if (map.outline.length) {
    const d = map.outline.map((p, i) => (i ? "L" : "M") + px(p[0], p[1]).map(v => v.toFixed(1)).join(" ")).join("") + "Z";
    make("path", { d: d, fill: "#f1f4f6", stroke: "#c3ccd4", "stroke-width": 1 }, svg);
  }
  const branches = [], parallel = {};
  for (const group of map.branches) {
    const loading = unpack(group.loading), p = unpack(group.p), n = group.name.length;
    group.name.forEach((name, j) => {
      const a = group.from[j], b = group.to[j], key = Math.min(a, b) + "-" + Math.max(a, b);
      const k = (parallel[key] = (parallel[key] || 0) + 1) - 1, side = (k % 2 ? 1 : -1) * Math.ceil(k / 2) * (a < b ? 1 : -1);
      const [x0, y0] = xy[a], [x1, y1] = xy[b], length = Math.hypot(x1 - x0, y1 - y0) || 1;
      const bend = 9 * side, cx = (x0 + x1) / 2 - bend * (y1 - y0) / length, cy = (y0 + y1) / 2 + bend * (x1 - x0) / length;
      const d = "M" + x0.toFixed(1) + " " + y0.toFixed(1) + "Q" + cx.toFixed(1) + " " + cy.toFixed(1) + " " + x1.toFixed(1) + " " + y1.toFixed(1);
      branches.push({ name: name, kind: group.kind, a: a, b: b, d: d, w: width(Math.min(kv[a], kv[b])), middle: [(x0 + 2 * cx + x1) / 4, (y0 + 2 * cy + y1) / 4],
        loading: f => loading[f * n + j], p: f => p[f * n + j] });
    });
  }
  const under = make("g", { fill: "none" }, svg), over = make("g", { fill: "none", stroke: "transparent", "stroke-width": 10 }, svg);
  for (const branch of branches) {
    branch.path = make("path", { d: branch.d }, under);
    hover(make("path", { d: branch.d }, over), () => branchText(branch));
  }
  const nodes = [], dots = make("g", {}, svg);
  for (let n = rank.length - 1; n >= 0; n--) {
    const i = rank[n], units = map.at[map.bus[i]];
    if (units) make("circle", { cx: xy[i][0], cy: xy[i][1], r: radius(kv[i]) + 4, fill: "none", stroke: "#1d2733", "stroke-width": 1.6 }, dots);
    nodes[i] = make("circle", { cx: xy[i][0], cy: xy[i][1], r: radius(kv[i]), stroke: "#1d2733", "stroke-width": 0.9 }, dots);
    hover(nodes[i], () => busText(i));
  }
  const failing = [];
  for (const name of map.failing) {
    const branch = branches.find(b => b.name === name), i = map.bus.indexOf(name);
    const at = branch ? branch.middle : i >= 0 ? xy[i] : null;
    if (!at) continue;
    make("circle", { cx: at[0], cy: at[1], r: 13, fill: "none", stroke: "#b2182b", "stroke-width": 2 }, svg);
    const w = 6.3 * name.length, right = at[0] + 17 + w < W, x = right ? at[0] + 17 : at[0] - 17 - w, y = at[1] + 4;
    const label = make("text", { x: x, y: y, class: "failing" }, svg);
    label.textContent = name;
    failing.push([x, y - 12, x + w, y + 3]);
  }
  placeLabels();

  function placeLabels() {
    const taken = xy.map((p, i) => [p[0] - radius(kv[i]), p[1] - radius(kv[i]), p[0] + radius(kv[i]), p[1] + radius(kv[i])]);
    taken.push(...failing);
    const degree = new Array(N).fill(0), said = new Set();
    branches.forEach(b => { degree[b.a]++; degree[b.b]++; });
    const weight = i => (map.at[map.bus[i]] ? 1e6 : 0) + kv[i] * 10 + degree[i];
    for (const i of Array.from(kv.keys()).sort((a, b) => weight(b) - weight(a))) {
      const unit = Boolean(map.at[map.bus[i]]), key = map.schematic ? i : map.lat[i].toFixed(2) + "/" + map.lon[i].toFixed(2);
      if (said.has(key) && !unit) continue;
      const text = map.bus[i] + (unit ? " (" + map.at[map.bus[i]].join(", ") + ")" : "");
      const size = unit ? 12.5 : 11, w = Array.from(text).reduce((s, c) => s + (c > "\u2e7f" ? size : size * 0.56), 0), r = radius(kv[i]) + (unit ? 7 : 3);
      const spots = [0, 14, 28, 42, 60, 80].flatMap(d => [[xy[i][0] + r + d, xy[i][1] + 4], [xy[i][0] - r - w - d, xy[i][1] + 4],
        [xy[i][0] - w / 2, xy[i][1] - r - 2 - d], [xy[i][0] - w / 2, xy[i][1] + r + 10 + d]]).slice(0, unit ? 24 : 4);
      const boxes = spots.map(s => [s[0] - 1, s[1] - size, s[0] + w + 1, s[1] + 3]);
      const meets = (t, box) => t[2] >= box[0] && t[0] <= box[2] && t[3] >= box[1] && t[1] <= box[3];
      const inside = boxes.map((box, k) => k).filter(k => boxes[k][0] >= 2 && boxes[k][2] <= W - 2 && boxes[k][1] >= 2 && boxes[k][3] <= H - 2);
      const covers = k => taken.reduce((n, t, j) => n + (j !== i && meets(t, boxes[k]) ? (j < N ? 1 : 20) : 0), 0);
      const clear = inside.find(k => !covers(k));
      // what units stand at is always said: where nothing is free, in the frame and over as little as possible
      const chosen = clear !== undefined ? clear : unit ? (inside.sort((a, b) => covers(a) - covers(b))[0] || 0) : -1;
      const free = spots[chosen];
      if (!free) continue;
      said.add(key);
      taken.push([free[0], free[1] - size, free[0] + w, free[1] + 3]);
      if (chosen >= 8) make("path", { d: "M" + xy[i].join(" ") + "L" + Math.min(Math.max(xy[i][0], free[0]), free[0] + w) + " " + (free[1] - size / 2),
        stroke: "#1d2733", "stroke-width": 0.7 }, svg);
      const e = make("text", { x: free[0], y: free[1] }, svg);
      if (unit) e.setAttribute("class", "unit");
      e.textContent = text;
    }
  }

  let frame = 0;
  function busText(i) {
    const units = map.at[map.bus[i]];
    return [map.bus[i], round(kv[i], 1) + " kV", round(vm[frame * N + i], 4) + " pu"].concat(units ? ["units: " + units.join(", ")] : []);
  }
  function branchText(b) {
    return [b.name, b.kind + ", " + map.bus[b.a] + " – " + map.bus[b.b], round(b.loading(frame), 1) + " %, " + round(b.p(frame), 1) + " MW"];
  }
  function hover(element, text) {
    element.addEventListener("mousemove", e => {
      tip.replaceChildren(...text().map((line, i) => {
        const div = document.createElement(i ? "div" : "b");
        div.textContent = line;
        return div;
      }));
      tip.hidden = false;
      tip.style.left = Math.min(e.clientX + 14, window.innerWidth - 300) + "px";
      tip.style.top = e.clientY + 14 + "px";
    });
    element.addEventListener("mouseleave", () => { tip.hidden = true; });
  }

  function rows(id, list) {
    document.getElementById(id).replaceChildren(...list.map(cells => {
      const tr = document.createElement("tr");
      cells.forEach((c, k) => {
        const td = document.createElement("td");
        td.textContent = c;
        if (k) td.className = "n";
        tr.append(td);
      });
      return tr;
    }));
  }
  function clock(t_s) {
    const m = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)/.exec(data.start);
    if (!m) return "";
    const at = new Date(Date.UTC(...m[1].split("-").map((v, i) => Number(v) - (i === 1 ? 1 : 0)), m[2], m[3], m[4]) + t_s * 1000);
    return at.toISOString().slice(0, 19).replace("T", " ");
  }
  function show(f) {
    frame = f;
    for (const b of branches) {
      const load = b.loading(f), out = !(load > 0);
      b.path.setAttribute("stroke", out ? OUT : colour(LOADING, load));
      b.path.setAttribute("stroke-width", b.w * (load > 100 ? 1.7 : 1));
      if (out) b.path.setAttribute("stroke-dasharray", "3 4"); else b.path.removeAttribute("stroke-dasharray");
    }
    for (let i = 0; i < N; i++) nodes[i].setAttribute("fill", colour(VOLTAGE, vm[f * N + i]));
    const t_s = map.t_s[f];
    document.getElementById("maptime").textContent = "t = " + round(t_s, 2) + " s";
    document.getElementById("mapclock").textContent = clock(t_s);
    document.getElementById("mapslider").value = f;
    const previous = f ? map.t_s[f - 1] : -1, here = data.events.filter(e => e.t_s > previous && e.t_s <= t_s).map(e => e.text);
    if (data.first !== null && data.first > previous && data.first <= t_s) here.push("first failure");
    document.getElementById("mapevent").textContent = here.join(" · ");
    const sums = [], sum = k => unpack(map.sums[k])[f];
    if ("solved" in map.sums && !(sum("solved") > 0.5)) sums.push(["", "no solution in this exchange"]);
    if ("f" in map.sums) sums.push([map.area.length ? "furthest frequency, " + map.area[f] : "frequency", (map.f_nominal + sum("f")).toFixed(4) + " Hz"]);
    if ("load" in map.sums) sums.push(["load", round(sum("load"), 0) + " MW"]);
    if ("losses" in map.sums) sums.push(["losses", round(sum("losses"), 1) + " MW"]);
    document.getElementById("mapsums").replaceChildren(...sums.map(s => {
      const div = document.createElement("div"), name = document.createElement("span"), value = document.createElement("b");
      name.textContent = s[0] + " "; value.textContent = s[1]; div.append(name, value);
      return div;
    }));
    const loaded = branches.filter(b => b.loading(f) > 0).sort((a, b) => b.loading(f) - a.loading(f)).slice(0, 6);
    rows("maploaded", loaded.map(b => [b.name, round(b.loading(f), 1) + " %", round(Math.abs(b.p(f)), 0) + " MW"]));
    const off = Array.from({ length: N }, (_, i) => i).filter(i => vm[f * N + i] === vm[f * N + i]);
    off.sort((a, b) => Math.abs(vm[f * N + b] - 1) - Math.abs(vm[f * N + a] - 1));
    rows("mapvoltages", off.slice(0, 6).map(i => [map.bus[i], round(kv[i], 1) + " kV", round(vm[f * N + i], 4) + " pu"]));
  }

  function legend(id, title, scale, mark) {
    const box = document.getElementById(id), head = document.createElement("b");
    head.textContent = title;
    box.append(head);
    for (const step of scale.concat([[0, OUT, "out of service"]])) {
      const line = document.createElement("div"), icon = make("svg", { width: 22, height: 12 });
      if (mark === "line") make("line", { x1: 1, x2: 21, y1: 6, y2: 6, stroke: step[1], "stroke-width": 3, "stroke-dasharray": step[1] === OUT ? "3 3" : "none" }, icon);
      else make("circle", { cx: 11, cy: 6, r: 4.6, fill: step[1], stroke: "#1d2733", "stroke-width": 0.9 }, icon);
      line.append(icon, step[2]);
      box.append(line);
    }
  }
  legend("legendloading", "Branch loading", LOADING, "line");
  legend("legendvoltage", "Bus voltage", VOLTAGE, "dot");

  const slider = document.getElementById("mapslider"), button = document.getElementById("mapplay");
  slider.max = frames - 1;
  slider.addEventListener("input", () => show(Number(slider.value)));
  let timer = null;
  button.onclick = () => {
    if (timer) { clearInterval(timer); timer = null; button.textContent = "▶"; return; }
    button.textContent = "❚❚";
    if (frame >= frames - 1) show(0);
    timer = setInterval(() => { if (frame < frames - 1) show(frame + 1); else button.onclick(); }, 180);
  };
  window.suandian.seek = t_s => {
    let best = 0;
    map.t_s.forEach((t, i) => { if (t <= t_s + 1e-9) best = i; });
    show(best);
  };
  show(map.start);
})();
