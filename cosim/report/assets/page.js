"use strict";
(function () {
  const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#222222", "#8b6c42",
    "#5d3a9b", "#7f7f7f", "#8a9a00", "#17858c"];
  const FAIL = "#b2182b", WARN = "#9a6700", SOFT = "#5c6b7a", GRID = "#e6ebef";
  const INDENT = 0.06; // share of the range the data must fill for limits to be drawn to scale
  const data = window.suandian.data;
  const unpack = window.suandian.unpack;

  function bounds(figure, traces) {
    let low = Infinity, high = -Infinity;
    for (const t of traces) for (const v of t.y) if (v === v) { if (v < low) low = v; if (v > high) high = v; }
    if (low > high) return null;
    if (figure.floor !== null && figure.floor < low) low = figure.floor;
    return [low, high];
  }

  // a range never so narrow that rounding noise fills the plot
  function padded(range, unit) {
    const least = unit === "Hz" ? 0.01 : Math.max(1e-3 * Math.abs(range[1]), 1e-4);
    const pad = Math.max(0.06 * (range[1] - range[0]), (least - (range[1] - range[0])) / 2);
    return [range[0] - pad, range[1] + pad];
  }

  function ranges(figure, traces) {
    const own = bounds(figure, traces);
    if (!own) return { near: [0, 1], far: [0, 1], apart: false };
    const ys = figure.limits.map(l => l.y);
    const far = [Math.min(own[0], ...ys), Math.max(own[1], ...ys)];
    const apart = ys.length > 0 && own[1] - own[0] < INDENT * (far[1] - far[0]);
    return { near: padded(own, figure.unit), far: padded(far, figure.unit), apart: apart };
  }

  function limitMarks(figure, range) {
    const shapes = [], notes = [];
    for (const limit of figure.limits) {
      const colour = limit.severity === "fail" ? FAIL : WARN;
      const inside = limit.y >= range[0] && limit.y <= range[1];
      // failures are labelled at the right end, warnings at the left: lines close together stay legible
      const right = limit.severity === "fail";
      const high = inside ? limit.side === "high" : limit.y > range[1];
      if (inside) {
        shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: limit.y, y1: limit.y,
          line: { color: colour, width: 1.4, dash: "dash" } });
        notes.push({ xref: "paper", x: right ? 1 : 0, y: limit.y, text: limit.text, showarrow: false,
          xanchor: right ? "right" : "left", bgcolor: "rgba(255,255,255,.75)",
          yanchor: high ? "top" : "bottom", font: { size: 10.5, color: colour } });
      } else {
        notes.push({ xref: "paper", yref: "paper", x: 1, y: high ? 1 : 0, showarrow: false, xanchor: "right",
          yanchor: high ? "top" : "bottom", yshift: (high ? -14 : 14) * (right ? 0 : 1), bgcolor: "rgba(255,255,255,.75)",
          text: (high ? "▲ " : "▼ ") + "off scale: " + limit.text, font: { size: 10.5, color: colour } });
      }
    }
    return { shapes: shapes, notes: notes };
  }

  function grouped() {
    const groups = [];
    data.events.forEach((e, i) => {
      const last = groups[groups.length - 1];
      if (last && e.x - last.x < 0.018 * data.axis.end) { last.to = i + 1; last.text += "<br>" + e.text; }
      else groups.push({ x: e.x, from: i + 1, to: i + 1, text: e.text });
    });
    return groups;
  }

  function eventMarks() {
    const shapes = [], notes = [];
    for (const g of grouped()) {
      shapes.push({ type: "line", yref: "paper", x0: g.x, x1: g.x, y0: 0, y1: 1, layer: "below",
        line: { color: "#8795a3", width: 1, dash: "dot" } });
      notes.push({ yref: "paper", x: g.x, y: 1, yanchor: "bottom", showarrow: false, hovertext: g.text,
        text: g.from === g.to ? "" + g.from : g.from + "–" + g.to, font: { size: 10.5, color: SOFT } });
    }
    if (data.first !== null) {
      const x = data.first / data.axis.unit_s;
      shapes.push({ type: "line", yref: "paper", x0: x, x1: x, y0: 0, y1: 1, layer: "below",
        line: { color: FAIL, width: 1.2 } });
    }
    return { shapes: shapes, notes: notes };
  }

  function pointMarks(figure) {
    return figure.marks.map((m, i) => ({ x: m.x, y: m.y, text: m.text, showarrow: true, arrowhead: 6, arrowsize: 0.9,
      arrowwidth: 1, arrowcolor: "#1d2733", ax: m.x > 0.85 * data.axis.end || (m.x > 0.15 * data.axis.end && i % 2) ? -48 : 48, ay: m.below ? 26 : -26, font: { size: 11 },
      bgcolor: "rgba(255,255,255,.85)" }));
  }

  function traces(figure) {
    return figure.lines.map((line, i) => ({
      type: "scatter", mode: "lines", name: line.name, x: unpack(line.x), y: unpack(line.y), connectgaps: false,
      ...(line.fill ? { fill: "tonexty", fillcolor: "rgba(86,180,233,.18)" } : {}),
      line: { color: PALETTE[(line.colour === null ? i : line.colour) % PALETTE.length], width: line.dash === "dot" ? 1.1 : 1.7,
        dash: line.dash, shape: line.step ? "hv" : "linear" }, showlegend: line.legend }));
  }

  function layout(figure, range) {
    const limits = limitMarks(figure, range), events = eventMarks();
    return {
      margin: { l: 62, r: 12, t: 18, b: 56 }, hovermode: "x unified", paper_bgcolor: "#fff", plot_bgcolor: "#fff",
      font: { family: getComputedStyle(document.body).fontFamily, size: 11.5, color: "#1d2733" },
      hoverlabel: { font: { size: 11 }, namelength: 40 },
      legend: { orientation: "h", y: -0.17, yanchor: "top", x: 0, font: { size: 11 } },
      xaxis: { title: { text: "time [" + data.axis.unit + "]", font: { size: 11.5 }, standoff: 4 },
        range: [0, data.axis.end], gridcolor: GRID, zeroline: false, hoverformat: ".4~r" },
      yaxis: { title: { text: figure.unit, font: { size: 11.5 }, standoff: 6 }, range: range, gridcolor: GRID,
        zeroline: false, hoverformat: ".6~r", tickformat: "~r", exponentformat: "none", separatethousands: false,
        automargin: true, ...(figure.ticks.length ? { tickvals: figure.ticks.map(t => t[0]), ticktext: figure.ticks.map(t => t[1]) } : {}) },
      shapes: events.shapes.concat(limits.shapes),
      annotations: events.notes.concat(limits.notes, pointMarks(figure)),
    };
  }

  function draw(holder) {
    if (holder.dataset.drawn) return;
    holder.dataset.drawn = "1";
    const figure = data.figures[Number(holder.dataset.figure)];
    const drawn = traces(figure), range = ranges(figure, drawn);
    const caption = document.createElement("figcaption"), canvas = document.createElement("div");
    caption.append(figure.title);
    if (figure.caption) { const small = document.createElement("small"); small.textContent = figure.caption; caption.append(small); }
    canvas.className = "canvas";
    holder.append(caption, canvas);
    let near = range.apart;
    const options = { displaylogo: false, responsive: true,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
    Plotly.newPlot(canvas, drawn, layout(figure, near ? range.near : range.far), options);
    if (figure.limits.length) {
      const button = document.createElement("button");
      button.type = "button";
      const name = () => { button.textContent = near ? "show limits to scale" : "zoom to data"; };
      button.onclick = () => {
        near = !near; name();
        const next = layout(figure, near ? range.near : range.far);
        Plotly.relayout(canvas, { "yaxis.range": next.yaxis.range, shapes: next.shapes, annotations: next.annotations });
      };
      name();
      caption.append(button);
    }
    canvas.on("plotly_click", e => { if (window.suandian.seek) window.suandian.seek(e.points[0].x * data.axis.unit_s); });
  }

  function drawVisible() {
    document.querySelectorAll(".plot[data-figure]").forEach(holder => {
      const folded = holder.closest("details");
      if (!folded || folded.open) draw(holder);
    });
  }

  function listMarkers() {
    const place = document.getElementById("markers");
    if (!data.events.length) return;
    place.append("Marked in every plot: ");
    data.events.forEach((e, i) => {
      const number = document.createElement("b");
      number.textContent = (i + 1) + " ";
      place.append(number, e.text + ", " + Number(e.t_s.toPrecision(7)) + " s");
    });
    if (data.first !== null) place.append(" · red: first failure");
  }

  // paper: two plots side by side on A4, fixed in size, since nothing measures a printed page
  function resize(paper) {
    document.querySelectorAll(".canvas").forEach(c => {
      if (!c.data) return;
      const wide = c.parentElement.classList.contains("wide");
      Plotly.relayout(c, paper ? { width: wide ? 680 : 332, height: wide ? 240 : 220, autosize: false, "font.size": 9 }
        : { width: null, height: null, autosize: true, "font.size": 11.5 });
    });
  }

  window.addEventListener("beforeprint", () => resize(true));
  window.addEventListener("afterprint", () => resize(false));
  document.querySelectorAll("details").forEach(d => d.addEventListener("toggle", drawVisible));
  window.suandian.palette = PALETTE;
  window.suandian.groups = grouped();
  listMarkers();
  drawVisible();
  document.body.dataset.ready = "1";
})();
