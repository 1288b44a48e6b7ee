"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const svg = document.getElementById("map"), side = document.getElementById("side"), tip = document.getElementById("tip");
  const NS = "http://www.w3.org/2000/svg", buses = data.buses;
  const state = {
    levels: new Set(data.levels.map(l => l.vn_kv)), kinds: new Set(data.kinds.map(k => k.kind)), width: "voltage", names: "en",
    layers: new Set(["trafos", "dc", "names", "grid", "exchange"]),
  };
  const colours = Object.fromEntries(data.levels.map(l => [l.vn_kv, l.colour]));
  const kindColour = Object.fromEntries(data.kinds.map(k => [k.kind, k.colour]));
  const words = k => ({ pv: "PV", thermal: "thermal, small", pumped_storage: "pumped storage" }[k] || k);

  const escape = s => String(s).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
  const mw = v => (v === null || v === undefined ? "–" : Math.round(v).toLocaleString("en") + " MW");
  const make = (tag, attributes, parent) => {
    const e = document.createElementNS(NS, tag);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (parent) parent.append(e);
    return e;
  };

  // ---- stations: busbars of one place stand side by side, highest voltage at the place itself
  const stations = {};
  buses.forEach((b, i) => {
    b.i = i;
    b.bare = b.name.replace(new RegExp("\\s+" + b.kv + "$"), "");
    (stations[b.station] = stations[b.station] || { id: b.station, buses: [], plants: [], dx: 0, dy: 0 }).buses.push(b);
  });
  for (const s of Object.values(stations)) {
    s.buses.sort((a, b) => b.kv - a.kv || a.i - b.i);
    s.buses.forEach((b, k) => (b.place = k));
  }
  for (const p of data.plants) stations[buses[p.bus].station].plants.push(p);
  for (const b of buses) b.degree = 0;
  for (const c of data.corridors) { buses[c.a].degree += c.circuits.length; buses[c.b].degree += c.circuits.length; }
  for (const l of data.links) buses[l.bus].dc = true;
  // a station of nothing but interchange is a neighbour's
  for (const x of data.exchanges) {
    const s = stations[buses[x.bus].station];
    if (!s.plants.length && !s.buses.some(b => b.load_mw)) buses[x.bus].outside = true;
  }
  const parks = {};
  for (const c of data.connections) if (c.park) (parks[buses[c.bus].station] = parks[buses[c.bus].station] || []).push(c);
  // parks whose busbars stand a little apart are named once
  const parkName = c => {
    const told = c.told.split(",")[0].replace(/^.*busbars? of the /, "").replace(/\s*\(.*\)$/, "");
    return told || c.name.replace(/_/g, " ");
  };

  // ---- view: pixels from kilometres
  const xs = buses.map(b => b.x), ys = buses.map(b => -b.y);
  const box = { w: Math.min(...xs), e: Math.max(...xs), n: Math.min(...ys), s: Math.max(...ys) };
  const view = { k: 1, x: 0, y: 0, k0: 1 };
  const size = () => ({ w: svg.clientWidth, h: svg.clientHeight });
  function fit() {
    const { w, h } = size(), pad = 62, names = 60; // names stand to the right
    const spanX = box.e - box.w || 1, spanY = box.s - box.n || 1;
    view.k0 = view.k = Math.min((w - names - 2 * pad) / spanX, (h - 2 * pad) / spanY, 40);
    view.x = (w - names) / 2 - view.k * (box.w + box.e) / 2;
    view.y = h / 2 - view.k * (box.n + box.s) / 2;
  }
  const at = (x, y) => [view.x + view.k * x, view.y - view.k * y];
  // symbols are smaller where a view holds many stations
  const grain = () => Math.max(0.55, Math.min(1, Math.sqrt(size().w * size().h / Object.keys(stations).length) / 78 * view.k / view.k0));
  let fine = 1;
  const step = () => 12 * fine;
  const spot = b => {
    const s = stations[b.station], p = at(s.buses[0].x, s.buses[0].y);
    return [p[0] + s.dx + step() * b.place, p[1] + s.dy];
  };
  // stations that would cover each other move apart, by SHIFT pixels at most: none once one is close enough
  const SHIFT = 24;
  let apartAt = "";
  function moveApart(scale) {
    const key = view.k + "/" + [...state.levels].join() + "/" + [...state.kinds].join();
    if (key === apartAt) return;
    apartAt = key;
    const all = Object.values(stations).filter(s => s.buses.some(shown));
    for (const s of all) {
      const wide = step() * (s.buses.length - (parks[s.id] ? 0 : 1)) / 2;
      s.dx = s.dy = 0;
      s.half = [wide, radius(s.buses[0].kv) + wide];
      s.pie = scale * Math.sqrt(s.plants.reduce((t, p) => t + (state.kinds.has(p.kind) ? p.mw || 0 : 0), 0));
      s.px = view.k * s.buses[0].x; s.py = -view.k * s.buses[0].y;
    }
    const near = [];
    all.forEach((a, i) => { for (const b of all.slice(i + 1)) if (Math.hypot(a.px - b.px, a.py - b.py) < 120) near.push([a, b]); });
    for (let turn = 0; turn < 60; turn++) {
      for (const [a, b] of near) {
        const want = Math.max(a.half[1] + b.half[1] + 7, 0.7 * (a.pie + b.pie));
        let x = b.px + b.dx + b.half[0] - a.px - a.dx - a.half[0], y = b.py + b.dy - a.py - a.dy;
        const long = Math.hypot(x, y);
        if (long >= want) continue;
        if (long < 0.1) { x = 1; y = 0.3 * (a.id - b.id); }
        const push = 0.35 * (want - long) / (Math.hypot(x, y) || 1);
        a.dx -= push * x; a.dy -= push * y; b.dx += push * x; b.dy += push * y;
      }
      for (const s of all) {
        const long = Math.hypot(s.dx, s.dy), f = long > SHIFT ? SHIFT / long : 1;
        s.dx *= f; s.dy *= f;
      }
    }
  }
  const radius = kv => fine * (kv >= 900 ? 6.5 : kv >= 700 ? 6 : kv >= 450 ? 5 : kv >= 300 ? 4.3 : kv >= 200 ? 3.8 : 3);
  const thick = kv => (kv >= 900 ? 3 : kv >= 700 ? 2.6 : kv >= 450 ? 2.1 : kv >= 300 ? 1.7 : kv >= 200 ? 1.4 : 1.1);
  const total = data.plants.reduce((sum, p) => sum + (p.mw || 0), 0) || 1;
  const largest = Math.max(1, ...Object.values(stations).map(s => s.plants.reduce((sum, p) => sum + (p.mw || 0), 0)));
  function pieScale() { // pixels per square root of MW: a twentieth of the view, none above 30 px
    const { w, h } = size();
    const k = Math.min(Math.sqrt(0.045 * w * h / Math.PI / total), 30 / Math.sqrt(largest));
    return k * Math.min(Math.sqrt(view.k / view.k0), 2.2);
  }
  const shown = b => state.levels.has(b.kv);

  // ---- drawing
  function draw() {
    svg.replaceChildren();
    fine = grain();
    const { w, h } = size(), inView = p => p[0] > -60 && p[0] < w + 60 && p[1] > -60 && p[1] < h + 60;
    const layer = {};
    const root = make("g", {}, svg);
    for (const name of ["grid", "pies", "loads", "lines", "trafos", "dc", "exchange", "buses", "labels", "frame"]) layer[name] = make("g", {}, root);
    if (state.layers.has("grid")) drawGraticule(layer, w, h);
    const scale = pieScale(), pies = {};
    moveApart(scale);
    for (const s of Object.values(stations)) pies[s.id] = drawPie(s, layer.pies, scale);
    if (state.layers.has("loads")) drawLoads(layer.loads, scale);
    data.corridors.forEach((c, n) => drawCorridor(c, n, layer.lines));
    if (state.layers.has("trafos")) data.trafos.forEach((t, n) => drawTrafo(t, n, layer.trafos));
    const wanted = [];
    if (state.layers.has("dc")) drawLinks(layer.dc, wanted, w, h, pies);
    if (state.layers.has("exchange")) drawExchanges(layer.exchange, pies);
    for (const b of buses) if (shown(b)) drawBus(b, layer.buses);
    drawParks(layer.buses, wanted, pies);
    if (state.layers.has("names")) {
      stationLabels(wanted, pies);
      placeLabels(wanted.filter(l => inView([l.x, l.y])), layer.labels, w, h, pies);
    }
    if (!data.schematic) drawScale(layer.frame, h);
  }

  function drawGraticule(layer, w, h) {
    for (const g of data.graticule) {
      const pts = g.path.map(p => at(p[0], p[1]));
      make("path", { d: "M" + pts.map(p => p[0].toFixed(1) + " " + p[1].toFixed(1)).join("L"), fill: "none", stroke: "#e6ebef", "stroke-width": 1 }, layer.grid);
      const axis = g.meridian ? 1 : 0, edge = g.meridian ? h - 5 : 5;
      for (let i = 1; i < pts.length; i++) {
        const a = pts[i - 1], b = pts[i];
        if ((a[axis] - edge) * (b[axis] - edge) > 0 || a[axis] === b[axis]) continue;
        const f = (edge - a[axis]) / (b[axis] - a[axis]), other = a[1 - axis] + f * (b[1 - axis] - a[1 - axis]);
        if (other < 20 || other > (g.meridian ? w : h) - 20) break;
        const text = make("text", { class: "grat", x: g.meridian ? other + 3 : edge, y: g.meridian ? edge : other - 3 }, layer.frame);
        text.textContent = g.label;
        break;
      }
    }
  }

  function drawPie(s, parent, scale) {
    const plants = s.plants.filter(p => state.kinds.has(p.kind) && p.mw);
    const sum = plants.reduce((t, p) => t + p.mw, 0);
    if (!sum || !s.buses.some(shown)) return 0;
    const r = Math.max(scale * Math.sqrt(sum), 3.5), c = spot(s.buses[0]);
    const group = make("g", { "data-t": "plants:" + s.id, opacity: 0.82 }, parent);
    const parts = data.kinds.map(k => [k.colour, plants.filter(p => p.kind === k.kind).reduce((t, p) => t + p.mw, 0)]).filter(p => p[1] > 0);
    let from = -Math.PI / 2;
    for (const [colour, part] of parts) {
      const to = from + 2 * Math.PI * part / sum;
      if (parts.length === 1) make("circle", { cx: c[0], cy: c[1], r: r, fill: colour }, group);
      else make("path", { d: `M${c[0]} ${c[1]}L${c[0] + r * Math.cos(from)} ${c[1] + r * Math.sin(from)}A${r} ${r} 0 ${to - from > Math.PI ? 1 : 0} 1 ${c[0] + r * Math.cos(to)} ${c[1] + r * Math.sin(to)}Z`, fill: colour }, group);
      from = to;
    }
    make("circle", { cx: c[0], cy: c[1], r: r, fill: "none", stroke: "#fff", "stroke-width": 1 }, group);
    return r;
  }

  function drawLoads(parent, scale) {
    for (const b of buses) {
      if (!shown(b) || !(b.load_mw > 0)) continue;
      const a = scale * Math.sqrt(b.load_mw * Math.PI), c = spot(b);
      make("rect", { x: c[0] - a / 2, y: c[1] - a / 2, width: a, height: a, fill: "none", stroke: "#1d2733", "stroke-width": 1.2, "data-t": "bus:" + b.i }, parent);
    }
  }

  function drawCorridor(c, n, parent) {
    const a = buses[c.a], b = buses[c.b];
    if (!shown(a) || !shown(b)) return;
    const p = spot(a), q = spot(b), long = Math.hypot(q[0] - p[0], q[1] - p[1]) || 1;
    const count = c.circuits.reduce((t, l) => t + l.parallel, 0), colour = colours[c.kv];
    const ux = -(q[1] - p[1]) / long, uy = (q[0] - p[0]) / long;
    const loading = Math.max(...c.circuits.map(l => (l.loading === null ? 0 : l.loading)));
    const off = c.circuits.every(l => !l.on), guess = state.layers.has("evidence") && c.circuits.every(l => l.evidence === "synthetic");
    const style = { stroke: colour, fill: "none", "stroke-linecap": "round" };
    if (off) style["stroke-dasharray"] = "2 5"; else if (guess) style["stroke-dasharray"] = "7 5";
    const strokes = state.width === "loading" ? 1 : Math.min(count, 4), width = fine * (state.width === "loading" ? 0.8 + loading / 11 : thick(c.kv));
    for (let i = 0; i < strokes; i++) {
      const d = (i - (strokes - 1) / 2) * (width + 1.6 * fine);
      make("line", { x1: p[0] + ux * d, y1: p[1] + uy * d, x2: q[0] + ux * d, y2: q[1] + uy * d, "stroke-width": width, ...style }, parent);
    }
    make("line", { x1: p[0], y1: p[1], x2: q[0], y2: q[1], stroke: "transparent", "stroke-width": 12, "data-t": "corridor:" + n }, parent);
  }

  function drawTrafo(t, n, parent) {
    const a = buses[t.a], b = buses[t.b];
    if (!shown(a) || !shown(b)) return;
    const p = spot(a), q = spot(b), long = Math.hypot(q[0] - p[0], q[1] - p[1]);
    make("line", { x1: p[0], y1: p[1], x2: q[0], y2: q[1], stroke: "#7d8894", "stroke-width": 1.1, "stroke-dasharray": long > 20 ? "3 3" : "none" }, parent);
    if (long > 34) {
      const m = [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2], u = [(q[0] - p[0]) / long, (q[1] - p[1]) / long];
      for (const [side, kv] of [[-2.4, a.kv], [2.4, b.kv]])
        make("circle", { cx: m[0] + side * u[0], cy: m[1] + side * u[1], r: 3.8, fill: "#fff", "fill-opacity": 0.6, stroke: colours[kv], "stroke-width": 1.3 }, parent);
    }
    make("line", { x1: p[0], y1: p[1], x2: q[0], y2: q[1], stroke: "transparent", "stroke-width": 10, "data-t": "trafo:" + n }, parent);
  }

  function drawBus(b, parent) {
    const p = spot(b), r = radius(b.kv), colour = colours[b.kv];
    const g = make("g", { "data-t": "bus:" + b.i }, parent);
    if (b.dc) {
      make("rect", { x: p[0] - r - 1.5, y: p[1] - r - 1.5, width: 2 * r + 3, height: 2 * r + 3, fill: "#fff", stroke: colour, "stroke-width": 2 }, g);
      make("path", { d: `M${p[0] - r} ${p[1] + r}L${p[0] + r} ${p[1] - r}`, stroke: colour, "stroke-width": 1.6 }, g);
    } else if (b.outside) {
      make("circle", { cx: p[0], cy: p[1], r: r, fill: "#fff", stroke: colour, "stroke-width": 1.8, "stroke-dasharray": "3 2" }, g);
    } else {
      make("circle", { cx: p[0], cy: p[1], r: r, fill: colour, stroke: "#fff", "stroke-width": 1.2 }, g);
      make("circle", { cx: p[0], cy: p[1], r: r * 0.4, fill: "#fff" }, g);
    }
  }

  function star(x, y, r, parent, t) {
    let d = "";
    for (let i = 0; i < 10; i++) {
      const a = -Math.PI / 2 + i * Math.PI / 5, q = i % 2 ? r * 0.45 : r;
      d += (i ? "L" : "M") + (x + q * Math.cos(a)).toFixed(1) + " " + (y + q * Math.sin(a)).toFixed(1);
    }
    make("path", { d: d + "Z", fill: "#00a876", stroke: "#fff", "stroke-width": 1.3, "data-t": t }, parent);
  }

  function drawParks(parent, wanted, pies) {
    for (const id in parks) {
      const s = stations[id], last = s.buses[s.buses.length - 1], p = spot(last);
      if (!s.buses.some(shown)) continue;
      const x = p[0] + step(), y = p[1];
      star(x, y, 9, parent, "park:" + id);
      wanted.push({ x: x, y: y, r: 9, text: parkName(parks[id][0]), rank: 1e6, css: "park" });
    }
  }

  function drawExchanges(parent, pies) {
    const done = new Set();
    for (const x of data.exchanges) {
      const b = buses[x.bus];
      if (done.has(x.bus) || !shown(b) || (x.kind === "slack" && !b.outside)) continue;
      done.add(x.bus);
      const p = spot(b), home = middle(), long = Math.hypot(p[0] - home[0], p[1] - home[1]) || 1;
      const u = [(p[0] - home[0]) / long, (p[1] - home[1]) / long], r = Math.max(radius(b.kv), pies[b.station] || 0) + 3;
      arrow([p[0] + u[0] * r, p[1] + u[1] * r], [p[0] + u[0] * (r + 17), p[1] + u[1] * (r + 17)], "#7d8894", 1.8, parent, "exchange:" + x.bus, x.p_mw > 0);
    }
  }
  const middle = () => at((box.w + box.e) / 2, -(box.n + box.s) / 2);

  function arrow(p, q, colour, width, parent, t, inward) {
    const [from, to] = inward ? [q, p] : [p, q], long = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
    const u = [(to[0] - from[0]) / long, (to[1] - from[1]) / long];
    make("line", { x1: from[0], y1: from[1], x2: to[0] - 5 * u[0], y2: to[1] - 5 * u[1], stroke: colour, "stroke-width": width }, parent);
    make("path", { d: `M${to[0]} ${to[1]}L${to[0] - 9 * u[0] - 4.5 * u[1]} ${to[1] - 9 * u[1] + 4.5 * u[0]}L${to[0] - 9 * u[0] + 4.5 * u[1]} ${to[1] - 9 * u[1] - 4.5 * u[0]}Z`, fill: colour }, parent);
    make("line", { x1: p[0], y1: p[1], x2: q[0], y2: q[1], stroke: "transparent", "stroke-width": 14, "data-t": t }, parent);
  }

  function drawLinks(parent, wanted, w, h, pies) {
    const drawn = new Set(), ends = [];
    data.links.forEach((l, n) => {
      const b = buses[l.bus];
      if (!shown(b)) return;
      const p = spot(b);
      if (l.to !== null && shown(buses[l.to])) {
        const key = l.link + ":" + Math.min(l.bus, l.to);
        if (drawn.has(l.link)) return;
        drawn.add(l.link);
        const q = spot(buses[l.to]);
        make("line", { x1: p[0], y1: p[1], x2: q[0], y2: q[1], stroke: l.colour, "stroke-width": 2.6, "stroke-dasharray": "12 4 3 4" }, parent);
        make("line", { x1: p[0], y1: p[1], x2: q[0], y2: q[1], stroke: "transparent", "stroke-width": 14, "data-t": "link:" + n }, parent);
        wanted.push({ x: (p[0] + q[0]) / 2, y: (p[1] + q[1]) / 2, r: 4, text: linkText(l, true), rank: 8e5, css: "dc", key: key });
        return;
      }
      if (drawn.has(l.link + "@" + b.station)) return;
      drawn.add(l.link + "@" + b.station);
      const far = l.far_x === undefined ? null : at(l.far_x, l.far_y), home = middle();
      const to = far ? [far[0] - p[0], far[1] - p[1]] : [p[0] - home[0], p[1] - home[1]], r = radius(b.kv) + 3;
      const [u, q] = way(p, Math.atan2(to[1], to[0]), r, ends);
      ends.push(q);
      arrow([p[0] + u[0] * r, p[1] + u[1] * r], q, l.colour, 3, parent, "link:" + n, l.inward);
      if (drawn.has(l.link)) return;
      drawn.add(l.link);
      wanted.push({ x: q[0], y: q[1], r: 4, text: linkText(l, false), rank: 9e5, css: "dc", way: u });
    });
  }
  // the direction of the other end, or one beside it, whose tip is clear of stations and other tips
  function way(p, angle, r, ends) {
    let best = null, most = -1;
    for (const reach of [48, 66, 86])
      for (const turn of [0, 0.3, -0.3, 0.6, -0.6]) {
        const u = [Math.cos(angle + turn), Math.sin(angle + turn)], q = [p[0] + u[0] * reach, p[1] + u[1] * reach];
        const others = buses.filter(shown).map(b => { const s = spot(b); return Math.hypot(q[0] - s[0], q[1] - s[1]); });
        const clear = Math.min(24, ...others, ...ends.map(e => Math.hypot(q[0] - e[0], q[1] - e[1]) - 6));
        if (clear > most + 0.5) { most = clear; best = [u, q]; }
      }
    return best;
  }
  function linkText(l, whole) {
    const rated = inward => data.links.filter(o => o.link === l.link && o.inward === inward).reduce((t, o) => t + (o.mw || 0), 0);
    const sum = Math.max(rated(true), rated(false)); // both ends of a link may be here, each in layers
    const name = whole || !l.far ? l.link : (l.inward ? "from " : "to ") + l.far;
    return name + " " + (sum / 1000).toLocaleString("en", { maximumFractionDigits: 1 }) + " GW";
  }

  // ---- names: the important ones first, each where there is room, else not at all
  function stationLabels(wanted, pies) {
    for (const s of Object.values(stations)) {
      const seen = s.buses.filter(shown);
      if (!seen.length || (parks[s.id] && /park|cluster/i.test(seen[0].bare))) continue;
      const b = seen[0], power = s.plants.reduce((t, p) => t + (p.mw || 0), 0), load = s.buses.reduce((t, o) => t + o.load_mw, 0);
      const zh = state.names === "zh" && s.buses.map(o => o.zh).find(z => z);
      const rank = b.kv * 10 + b.degree * 120 + power / 4 + load / 4 + (b.dc ? 3000 : 0) - (b.outside ? 1500 : 0);
      const p = spot(b), end = spot(seen[seen.length - 1]);
      wanted.push({ x: p[0], y: p[1], right: end[0] - p[0], r: radius(b.kv) + (b.dc ? 2 : 0), pie: pies[s.id] || 0,
        text: zh || b.bare, rank: rank, css: b.outside ? "far" : b.kv >= 450 && !/plant$/.test(b.bare) ? "big" : "" });
    }
  }
  const FONT = { park: 13, dc: 11.5, big: 12.5, far: 11, "": 11 };
  const wide = (text, css) => Array.from(text).reduce((t, c) => t + (c.charCodeAt(0) > 0x2e7f ? 1.02 : /[il.,'1 ]/.test(c) ? 0.34 : /[mwMW]/.test(c) ? 0.86 : /[A-Z]/.test(c) ? 0.68 : 0.56), 0) * FONT[css];

  function placeLabels(wanted, parent, w, h, pies) {
    const taken = [];
    for (const b of buses) if (shown(b)) { const p = spot(b), r = radius(b.kv); taken.push([p[0] - r, p[1] - r, p[0] + r, p[1] + r]); }
    for (const id in parks) { const p = spot(stations[id].buses[stations[id].buses.length - 1]); taken.push([p[0] + 3, p[1] - 9, p[0] + 21, p[1] + 9]); }
    for (const s of Object.values(stations)) { const r = 0.8 * (pies[s.id] || 0), p = spot(s.buses[0]); if (r > 6) taken.push([p[0] - r, p[1] - r, p[0] + r, p[1] + r, s.id]); }
    const free = r => !taken.some(t => r[0] < t[2] && r[2] > t[0] && r[1] < t[3] && r[3] > t[1]) && r[0] > 2 && r[2] < w - 2 && r[1] > 2 && r[3] < h - 16;
    for (const l of wanted.sort((a, b) => b.rank - a.rank)) {
      const width = wide(l.text, l.css), height = FONT[l.css] + 2, right = l.right || 0;
      const pie = Math.max(l.r, l.pie || 0) + 3, reaches = l.pie > l.r ? [pie, l.r + 3] : [l.r + 3];
      if (l.rank > (fine > 0.9 ? 3000 : 8e5)) reaches.push(pie + 14, pie + 30, pie + 46);
      let best = null, leader = false;
      for (const d of reaches) {
        const spots = [[d + right, -height / 2], [-d - width, -height / 2], [right / 2 - width / 2, -d - height], [right / 2 - width / 2, d],
          [0.7 * d + right, -0.7 * d - height], [0.7 * d + right, 0.7 * d], [-0.7 * d - width, -0.7 * d - height], [-0.7 * d - width, 0.7 * d]];
        if (l.way) spots.sort((a, b) => toward(b, l, width, height) - toward(a, l, width, height));
        const found = spots.map(s => [l.x + s[0], l.y + s[1], l.x + s[0] + width, l.y + s[1] + height]).find(free);
        if (found) { best = found; leader = d > pie; break; }
      }
      if (!best && l.rank >= 1e6) { // always named: inside the view, over whatever is there
        const x = l.x + l.r + 3 + width < w ? l.x + l.r + 3 : l.x - l.r - 3 - width;
        best = [x, l.y - height / 2, x + width, l.y + height / 2];
      }
      if (!best) continue;
      if (leader) {
        const x = Math.max(best[0], Math.min(l.x, best[2])), y = Math.max(best[1], Math.min(l.y, best[3]));
        make("line", { x1: l.x, y1: l.y, x2: x, y2: y, stroke: "#8795a1", "stroke-width": 0.9 }, parent);
      }
      taken.push(best);
      const text = make("text", { class: l.css, x: best[0], y: best[3] - 3 }, parent);
      text.textContent = l.text;
    }
  }
  const toward = (s, l, width, height) => (s[0] + width / 2) * l.way[0] + (s[1] + height / 2) * l.way[1];

  function drawScale(parent, h) {
    const km = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter(v => v * view.k < 150).pop() || 1, long = km * view.k;
    make("path", { d: `M56 ${h - 30}v6h${long}v-6`, fill: "none", stroke: "#5c6b7a", "stroke-width": 1.4 }, parent);
    make("text", { x: 60 + long, y: h - 23 }, parent).textContent = km + " km";
  }

  // ---- facts under the pointer
  const tag = o => (o.evidence ? `<span class="tag ${escape(o.evidence)}">${escape(o.evidence)}</span> ` : "");
  const origin = o => `<small>${tag(o)}${escape(o.source || "")}${o.note ? " · " + escape(o.note) : ""}</small>`;
  const named = o => `<b>${escape(o.name)}</b>${o.zh ? " " + escape(o.zh) : ""}`;
  const flow = (o, from, to) => (o.p_mw === null ? "" : o.p_mw >= 0 ? `${mw(o.p_mw)} ${escape(from)} → ${escape(to)}` : `${mw(-o.p_mw)} ${escape(to)} → ${escape(from)}`);
  const percent = o => (o.loading === null ? "" : ", " + o.loading.toFixed(0) + " % loaded");
  const power = p => `<tr><td>${escape(p.name)}${p.zh ? " " + escape(p.zh) : ""}<small>${tag(p)}${escape(p.source || "")}</small></td><td>${words(p.kind)} ${mw(p.mw)}<small>now ${mw(p.p_mw)}</small></td></tr>`;
  const facts = {
    bus: i => {
      const b = buses[i], here = data.connections.filter(c => c.bus === b.i);
      return named(b) + `<br>${b.kv} kV` + (b.vm_pu === null ? "" : `, ${b.vm_pu.toFixed(3)} pu`) + (b.zone ? ", " + escape(b.zone) : "") + ", " + escape(b.area) +
        (b.load_mw ? `<br>load ${mw(b.load_mw)}` : "") + data.exchanges.filter(x => x.bus === b.i).map(exchange).join("") +
        data.links.filter(l => l.bus === b.i).map(link).join("") + here.map(c => `<br>units connect at <b>${escape(c.name)}</b>: ${escape(c.told)}`).join("") + origin(b);
    },
    corridor: n => {
      const c = data.corridors[n];
      return `<b>${escape(buses[c.a].name)} – ${escape(buses[c.b].name)}</b>, ${c.kv} kV` + c.circuits.slice(0, 6).map(l =>
        `<div>${escape(l.name)}${l.zh ? " " + escape(l.zh) : ""}${l.parallel > 1 ? ", " + l.parallel + " circuits" : ""}: ${l.km.toFixed(0)} km, ${escape(l.type || "own data")}${l.on ? "" : ", out of service"}<br>${flow(l, buses[c.a].name, buses[c.b].name)}${percent(l)}${origin(l)}</div>`).join("");
    },
    trafo: n => {
      const t = data.trafos[n];
      return `<b>${escape(t.name)}</b><br>${buses[t.a].kv}/${buses[t.b].kv} kV, ${t.parallel} × ${Math.round(t.mva)} MVA${t.on ? "" : ", out of service"}<br>${flow(t, buses[t.a].name, buses[t.b].name)}${percent(t)}${origin(t)}`;
    },
    plants: id => {
      const plants = stations[id].plants.filter(p => state.kinds.has(p.kind)).sort((a, b) => b.mw - a.mw);
      return `<b>${escape(stations[id].buses[0].bare)}</b>: ${mw(plants.reduce((t, p) => t + (p.mw || 0), 0))}<table>${plants.slice(0, 12).map(power).join("")}</table>` + (plants.length > 12 ? `and ${plants.length - 12} more` : "");
    },
    link: n => link(data.links[n]),
    exchange: bus => data.exchanges.filter(x => x.bus === Number(bus)).map(exchange).join(""),
    park: id => parks[id].map(c => `<b>${escape(c.name)}</b> at ${escape(buses[c.bus].name)}<small>${escape(c.told)}</small>`).join("") + facts.bus(parks[id][0].bus),
  };
  const link = l => `<div>${named(l)}${l.kv ? `, ±${l.kv} kV` : ""}, ${mw(l.mw)}<br>now ${mw(Math.abs(l.p_mw))} ${l.inward ? "arrive" : "are sent"}${l.since ? ", in operation since " + escape(l.since) : ""}${origin(l)}</div>`;
  const exchange = x => `<div>${named(x)}${x.kind === "slack" ? ": closes the balance" : `: ${mw(Math.abs(x.p_mw))} ${x.p_mw >= 0 ? "in" : "out"}`}${x.mw ? ", up to " + mw(x.mw) : ""}${origin(x)}</div>`;

  function hover(event) {
    const target = event.target.closest("[data-t]");
    if (!target || drag) { tip.hidden = true; return; }
    const [kind, id] = target.getAttribute("data-t").split(":");
    tip.innerHTML = facts[kind](id);
    tip.hidden = false;
    const r = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - r.width - 6)) + "px";
    tip.style.top = Math.max(4, event.clientY + 14 + r.height > innerHeight ? event.clientY - r.height - 10 : event.clientY + 14) + "px";
  }

  // ---- panel
  function panel() {
    const box = (kind, value, on, swatch, text, more) => `<label><input type="checkbox" data-${kind}="${value}" ${on ? "checked" : ""}><svg width="30" height="12">${swatch}</svg><span>${text}</span><em>${more}</em></label>`;
    const n = v => Math.round(v).toLocaleString("en");
    const plain = (value, text) => `<label class="wide"><input type="checkbox" data-layer="${value}" ${state.layers.has(value) ? "checked" : ""}><span>${text}</span></label>`;
    side.innerHTML = `<h1${data.title.length > 60 ? ' class="long"' : ""}>${escape(data.title)}</h1><p>${escape(data.point)}</p>` +
      data.remarks.map(r => `<p class="warn">${escape(r)}</p>`).join("") +
      "<h2>Voltage levels</h2>" + data.levels.map(l => box("kv", l.vn_kv, true, `<line x1="2" y1="6" x2="28" y2="6" stroke="${l.colour}" stroke-width="${thick(l.vn_kv) + 0.6}"/>`,
        l.vn_kv + " kV", `${l.buses_count} ${l.buses_count === 1 ? "bus" : "buses"}, ${n(l.circuits_km)} km`)).join("") +
      (data.kinds.length ? "<h2>Plants (area by MW)</h2>" + data.kinds.map(k => box("kind", k.kind, true, `<circle cx="15" cy="6" r="5.5" fill="${k.colour}"/>`, words(k.kind), n(k.mw) + " MW")).join("") : "") +
      '<h2>Layers</h2><div class="pick">line width <select id="width"><option value="voltage">by voltage</option>' + (data.solved ? '<option value="loading">by loading</option>' : "") + "</select></div>" +
      (buses.some(b => b.zh) ? '<div class="pick">names <select id="names"><option value="en">English</option><option value="zh">中文</option></select></div>' : "") +
      plain("trafos", "transformers") + (data.links.length ? plain("dc", "direct-current links") : "") + plain("loads", "loads (squares by MW)") + plain("exchange", "interchange with neighbours") + plain("names", "names") +
      plain("evidence", "dash lines that are synthetic") + (data.graticule.length ? plain("grid", "latitudes and longitudes") : "") +
      '<h2>Symbols</h2><div class="sym">' +
      '<svg width="30" height="16"><circle cx="15" cy="8" r="5" fill="#444"/><circle cx="15" cy="8" r="2" fill="#fff"/></svg><span>busbar, in the colour of its voltage</span>' +
      '<svg width="30" height="16"><rect x="8" y="1.5" width="13" height="13" fill="#fff" stroke="#444" stroke-width="2"/><path d="M9 14L20 3" stroke="#444"/></svg><span>converter station</span>' +
      '<svg width="30" height="16"><circle cx="15" cy="8" r="5" fill="#fff" stroke="#444" stroke-width="1.8" stroke-dasharray="3 2"/></svg><span>neighbour with interchange, or slack</span>' +
      '<svg width="30" height="16"><circle cx="12.6" cy="8" r="4" fill="none" stroke="#444"/><circle cx="17.4" cy="8" r="4" fill="none" stroke="#444"/></svg><span>transformer to another place</span>' +
      (Object.keys(parks).length ? '<svg width="30" height="16"><path d="M15 0L17.2 5.6L23 6L18.6 9.7L20 15.4L15 12.2L10 15.4L11.4 9.7L7 6L12.8 5.6Z" fill="#00a876"/></svg><span>computing park</span>' : "") +
      `</div><details><summary>Sources and licence</summary><ul>${data.sources.map(s => `<li>${escape(s)}</li>`).join("")}</ul>${escape(data.licence)}${data.notes ? "<br>" + escape(data.notes) : ""}</details>`;
    side.querySelectorAll("[data-kv]").forEach(e => e.addEventListener("change", () => { const v = Number(e.dataset.kv); state.levels[e.checked ? "add" : "delete"](v); draw(); }));
    side.querySelectorAll("[data-kind]").forEach(e => e.addEventListener("change", () => { state.kinds[e.checked ? "add" : "delete"](e.dataset.kind); draw(); }));
    side.querySelectorAll("[data-layer]").forEach(e => e.addEventListener("change", () => { state.layers[e.checked ? "add" : "delete"](e.dataset.layer); draw(); }));
    for (const id of ["width", "names"]) { const e = document.getElementById(id); if (e) e.addEventListener("change", () => { state[id] = e.value; draw(); }); }
  }

  // ---- moving about
  let drag = null, waiting = false;
  const later = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } };
  function zoom(factor, x, y) {
    const k = Math.max(view.k0 * 0.4, Math.min(view.k * factor, Math.max(view.k0 * 60, 40)));
    view.x = x - (x - view.x) * k / view.k; view.y = y - (y - view.y) * k / view.k; view.k = k; later();
  }
  svg.addEventListener("wheel", e => { e.preventDefault(); const r = svg.getBoundingClientRect(); zoom(Math.exp(-e.deltaY / 500), e.clientX - r.left, e.clientY - r.top); }, { passive: false });
  svg.addEventListener("pointerdown", e => { drag = { x: e.clientX, y: e.clientY }; svg.setPointerCapture(e.pointerId); svg.classList.add("drag"); });
  svg.addEventListener("pointermove", e => { if (drag) svg.firstChild.setAttribute("transform", `translate(${e.clientX - drag.x} ${e.clientY - drag.y})`); else hover(e); });
  svg.addEventListener("pointerup", e => {
    if (!drag) return;
    view.x += e.clientX - drag.x; view.y += e.clientY - drag.y;
    drag = null;
    svg.classList.remove("drag");
    draw();
  });
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
  document.querySelectorAll("#zoom button").forEach(b => b.addEventListener("click", () => { const z = Number(b.dataset.z), { w, h } = size(); if (z) zoom(z, w / 2, h / 2); else { fit(); draw(); } }));
  addEventListener("resize", () => { if (view.k === view.k0) fit(); draw(); });
  panel(); fit(); draw();
})();
