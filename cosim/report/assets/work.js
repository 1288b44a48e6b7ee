(function () {
  "use strict";
  const data = window.suandian.data, unpack = window.suandian.unpack, work = data.work;
  if (!work) return;
  const PALETTE = window.suandian.palette;
  const NS = "http://www.w3.org/2000/svg", END = { "moved": "#0072b2", "rolled back": "#b2182b", "suspended": "#e69f00",
    "lost with the site": "#7a0177", "fetched": "#009e73", "stayed": "#56b4e9", "under way": "#7f7f7f" };
  const font = { family: getComputedStyle(document.body).fontFamily, size: 11.5, color: "#1d2733" };
  const faint = (hex, alpha) => "rgba(" + [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)).join(",") + "," + alpha + ")";
  const number = v => Number(v.toPrecision(4)).toLocaleString("en");

  function drawFlows() {
    const place = document.getElementById("workflows");
    if (!place) return;
    const names = [], at = (name, side) => { const key = side + name; if (!names.includes(key)) names.push(key); return names.indexOf(key); };
    const links = work.flows.map(f => ({ s: at(f.from, "<"), t: at(f.outcome === "rolled back" ? f.from + " (rolled back)" : f.to, ">"), f: f }));
    place.style.height = Math.min(440, 100 + 60 * new Set(links.map(l => l.s).concat(links.map(l => l.t))).size) + "px";
    Plotly.newPlot(place, [{ type: "sankey", arrangement: "snap", valueformat: ",.4r", valuesuffix: " GPU",
      node: { label: names.map(n => n.slice(1)), color: names.map(n => (n[0] === "<" ? "#5c6b7a" : "#1d2733")), pad: 18, thickness: 14 },
      link: { source: links.map(l => l.s), target: links.map(l => l.t), value: links.map(l => l.f.gpus),
        color: links.map(l => faint(END[l.f.outcome] || "#7f7f7f", 0.45)), label: links.map(l => l.f.trips + (l.f.trips === 1 ? " trip " : " trips ") + l.f.outcome) } }],
      { margin: { l: 10, r: 10, t: 8, b: 8 }, font: font, paper_bgcolor: "#fff" },
      { displaylogo: false, responsive: true, displayModeBar: false });
    const legend = document.getElementById("workoutcomes");
    for (const outcome of new Set(work.flows.map(f => f.outcome))) {
      const mark = document.createElement("b"), same = work.flows.filter(f => f.outcome === outcome), sum = k => same.reduce((n, f) => n + f[k], 0);
      mark.textContent = "■ "; mark.style.color = END[outcome] || "#7f7f7f";
      legend.append(mark, outcome + ": " + sum("trips") + (sum("trips") === 1 ? " trip, " : " trips, ") + number(sum("gpus")) + " GPU   ");
    }
  }

  function drawPanels() {
    const place = document.getElementById("workpanels");
    if (!place) return;
    const n = work.panels.length, gap = 0.06, high = (1 - gap * (n - 1)) / n, traces = [];
    place.style.height = 150 * n + 90 + "px";
    const layout = { margin: { l: 66, r: 12, t: 18, b: 50 }, hovermode: "x unified", paper_bgcolor: "#fff", plot_bgcolor: "#fff", font: font,
      legend: { orientation: "h", y: -0.5 * 90 / (150 * n), yanchor: "top", x: 0, font: { size: 11 } }, hoverlabel: { font: { size: 11 }, namelength: 40 },
      xaxis: { title: { text: "time [" + data.axis.unit + "]", font: { size: 11.5 }, standoff: 4 }, range: [0, data.axis.end], gridcolor: "#e6ebef", zeroline: false,
        anchor: "y" + (n > 1 ? n : ""), hoverformat: ".4~r" }, shapes: [], annotations: [] };
    work.panels.forEach((panel, i) => {
      const axis = "y" + (i ? i + 1 : "");
      panel.lines.forEach((line, k) => traces.push({ type: "scatter", mode: "lines", name: line.name, x: unpack(line.x), y: unpack(line.y), yaxis: axis,
        line: { color: PALETTE[(line.colour === null ? k + 3 * i : line.colour) % PALETTE.length], width: 1.6, dash: line.dash, shape: line.step ? "hv" : "linear" } }));
      const top = 1 - i * (high + gap);
      const values = traces.filter(t => t.yaxis === axis).flatMap(t => Array.from(t.y)).filter(v => v === v);
      const low = Math.min(...values), up = Math.max(...values), least = panel.unit === "Hz" ? 0.01 : Math.max(1e-3 * Math.abs(up), 1e-4);
      const pad = Math.max(0.08 * (up - low), (least - (up - low)) / 2);
      layout["yaxis" + (i ? i + 1 : "")] = { domain: [top - high, top], title: { text: panel.title + "<br>[" + panel.unit + "]", font: { size: 11 }, standoff: 4 },
        range: [low - pad, up + pad], gridcolor: "#e6ebef", zeroline: false, hoverformat: ".6~r", tickformat: "~r", nticks: 5, automargin: true };
    });
    data.events.forEach((e, i) => layout.shapes.push({ type: "line", yref: "paper", x0: e.x, x1: e.x, y0: 0, y1: 1, layer: "below",
      line: { color: "#8795a3", width: 1, dash: "dot" } }));
    window.suandian.groups.forEach(g => layout.annotations.push({ yref: "paper", x: g.x, y: 1, yanchor: "bottom", showarrow: false, hovertext: g.text,
      text: g.from === g.to ? "" + g.from : g.from + "–" + g.to, font: { size: 10.5, color: "#5c6b7a" } }));
    Plotly.newPlot(place, traces, layout, { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });
  }

  function drawMap() {
    const map = work.map;
    if (!map) return;
    const svg = document.getElementById("workmap"), W = 600, H = 400, PAD = 64;
    svg.setAttribute("viewBox", "0 0 " + W + " " + H);
    const make = (tag, attributes, parent) => {
      const e = document.createElementNS(NS, tag);
      for (const k in attributes) e.setAttribute(k, attributes[k]);
      (parent || svg).append(e);
      return e;
    };
    const mid = (Math.min(...map.lat) + Math.max(...map.lat)) / 2, squeeze = Math.cos(mid * Math.PI / 180);
    const xs = map.lon.map(v => v * squeeze), ys = map.lat.map(v => -v);
    const span = v => Math.max(...v) - Math.min(...v);
    const scale = Math.min((W - 2 * PAD) / Math.max(span(xs), 0.3), (H - 2 * PAD) / Math.max(span(ys), 0.3));
    const cx = (Math.min(...xs) + Math.max(...xs)) / 2, cy = (Math.min(...ys) + Math.max(...ys)) / 2;
    const px = (lat, lon) => [W / 2 + (lon * squeeze - cx) * scale, H / 2 + (-lat - cy) * scale];
    const grid = make("g", { fill: "none", stroke: "#d3dbe2", "stroke-width": 1 });
    map.lines.forEach(l => { const a = px(...map.buses[l[0]]), b = px(...map.buses[l[1]]); make("line", { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, grid); });
    map.buses.forEach(b => { const p = px(...b); make("circle", { cx: p[0], cy: p[1], r: 1.6, fill: "#b6c2cc", stroke: "none" }, grid); });
    const arcs = make("g", { fill: "none" }), discs = make("g", {}), labels = make("g", {});
    const at = map.sites.map((s, i) => px(map.lat[i], map.lon[i])), power = map.p_mw.map(unpack);
    const most = Math.max(1e-9, ...power.flatMap(p => Array.from(p)).filter(v => v === v)), widest = Math.max(1e-9, ...map.trips.map(t => t.gpus));
    const disc = map.sites.map((s, i) => make("circle", { cx: at[i][0], cy: at[i][1], fill: faint(PALETTE[map.colour[i] % PALETTE.length], 0.55), stroke: "#1d2733" }, discs));
    const label = map.sites.map((s, i) => make("text", { x: at[i][0], "text-anchor": "middle", "class": "worklabel" }, labels));
    const path = (t, k) => {
      const a = at[t.from], b = at[t.to], length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1, bend = 24 + 9 * (k % 6);
      return "M" + a.map(v => v.toFixed(1)).join(" ") + "Q" + ((a[0] + b[0]) / 2 - bend * (b[1] - a[1]) / length).toFixed(1) + " "
        + ((a[1] + b[1]) / 2 + bend * (b[0] - a[0]) / length).toFixed(1) + " " + b.map(v => v.toFixed(1)).join(" ");
    };
    const slider = document.getElementById("workslider"), button = document.getElementById("workplay");
    slider.max = map.t_s.length - 1;
    let frame = 0, timer = null;
    function show(f) {
      frame = f; slider.value = f;
      const t_s = map.t_s[f];
      arcs.replaceChildren();
      let moving = 0, gpus = 0, came = 0;
      map.trips.forEach((t, k) => {
        if (t.start > t_s) return;
        const now = t.outcome !== "fetched" && (t.end === null || t_s < t.end);
        if (now) { moving++; gpus += t.gpus; } else if (t.outcome === "moved") came++; else return;
        make("path", { d: path(t, k), stroke: now ? END[t.outcome] || "#7f7f7f" : "#0072b2", "stroke-opacity": now ? 0.9 : 0.35,
          "stroke-width": now ? (2 + 5 * t.gpus / widest).toFixed(1) : 1.2, "stroke-dasharray": now ? "8 5" : "none" }, arcs);
      });
      disc.forEach((d, i) => {
        const mw = power[i][f], r = 5 + 33 * Math.sqrt(Math.max(mw === mw ? mw : 0, 0) / most);
        d.setAttribute("r", r.toFixed(1));
        label[i].setAttribute("y", (at[i][1] < H / 2 ? at[i][1] - r - 6 : at[i][1] + r + 15).toFixed(1));
        label[i].textContent = map.sites[i] + ", " + (mw === mw ? number(mw) + " MW" : "no voltage");
      });
      document.getElementById("worktime").textContent = "t = " + Number(t_s.toFixed(2)) + " s: " + moving + " under way" + (moving ? " (" + number(gpus) + " GPU)" : "") + ", " + came + " came";
    }
    slider.addEventListener("input", () => show(Number(slider.value)));
    button.onclick = () => {
      if (timer) { clearInterval(timer); timer = null; button.textContent = "▶"; return; }
      button.textContent = "❚❚";
      if (frame >= map.t_s.length - 1) show(0);
      timer = setInterval(() => { if (frame < map.t_s.length - 1) show(frame + 1); else button.onclick(); }, 180);
    };
    const begin = map.t_s.findIndex(t_s => map.trips.some(t => t.start <= t_s && (t.end === null || t_s < t.end)));
    show(Math.max(begin, 0));
  }

  drawMap();
  drawFlows();
  drawPanels();
  for (const id of ["workmap", "workflows", "workpanels"]) {
    const place = document.getElementById(id);
    if (place) place.closest("figure").dataset.drawn = "1";
  }
})();
