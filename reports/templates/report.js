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
    Plotly.newPlot(plot, data.data, data.layout, options);
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
