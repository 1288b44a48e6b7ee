"use strict";
// What is large stands compressed in the page; here it is unpacked, then the page's own script runs.
(async function () {
  async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), c => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  function run(text) {
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
  }
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("markers").textContent = "Plots need a browser that unpacks gzip: Chrome or Edge 80, Firefox 113, Safari 16.4, or later.";
    return;
  }
  const [plotly, data] = await Promise.all(["plotly", "data"].map(unpacked));
  window.suandian = { data: JSON.parse(data) };
  run(plotly);
  run(document.getElementById("code").textContent);
})();
