// Draws each figure when it comes near the window, all of them before printing.
(function () {
  "use strict";
  var touch = window.matchMedia("(pointer: coarse)").matches;
  var options = { responsive: true, displayModeBar: false, displaylogo: false, scrollZoom: false };
  function draw(plot) {
    if (plot.dataset.drawn) { return; }
    plot.dataset.drawn = "yes";
    var data = JSON.parse(document.getElementById(plot.id.replace(/-plot$/, "-data")).textContent);
    if (touch) { data.layout.dragmode = false; } // a finger scrolls the page, it does not zoom
    Plotly.newPlot(plot, data.data, data.layout, options).then(function () { room(plot, data.layout); });
  }
  // A legend of more rows than the margin has room for, as on a phone, gets that room; where there is none its room goes.
  function room(plot, layout) {
    var legend = plot.querySelector("g.legend"), titled = (layout.annotations || []).length > 0;
    if (plot.querySelector(".colorbar")) { return; }
    var needed = legend ? Math.ceil(legend.getBoundingClientRect().height) + (titled ? 26 : 8) : titled ? 34 : 16;
    var more = needed - layout.margin.t;
    if (more === 0 || (legend && more < 0) || (!legend && more > 0)) { return; }
    plot.style.height = layout.height + more + "px";
    Plotly.relayout(plot, { height: layout.height + more, "margin.t": layout.margin.t + more });
  }
  var plots = Array.prototype.slice.call(document.querySelectorAll(".plot"));
  if ("IntersectionObserver" in window) {
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) { watcher.unobserve(entry.target); draw(entry.target); }
      });
    }, { rootMargin: "800px 0px" });
    plots.forEach(function (plot) { watcher.observe(plot); });
  } else {
    plots.forEach(draw);
  }
  window.addEventListener("beforeprint", function () { plots.forEach(draw); });
})();
