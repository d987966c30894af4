// Draws the trends with uPlot, in the colours of the page, and again when the colour mode or the width changes.
(function () {
  "use strict";
  var data = null;
  var plots = [];
  var WHOLE = [1, 2, 5];
  while (WHOLE[WHOLE.length - 1] < 1e9) WHOLE.push(WHOLE[WHOLE.length - 3] * 10);

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function short(value) {
    if (value === null || value === undefined) return "–";
    if (Math.abs(value) >= 1e6) return +(value / 1e6).toFixed(2) + "M";
    if (Math.abs(value) >= 1e4) return +(value / 1e3).toFixed(1) + "k";
    return value.toLocaleString();
  }
  function range(plot, low, high) {
    if (low === null) return [0, 1];
    var floor = low < high * 0.7 || low === high ? 0 : low - (high - low) * 0.1;
    return [Math.min(0, floor) === floor ? floor : Math.max(0, floor), high + ((high - floor) || 1) * 0.08];
  }
  function newest(plot) { plot.setLegend({ idx: plot.data[0].length - 1 }); }
  function draw() {
    plots.forEach(function (plot) { plot.destroy(); });
    plots = Array.from(document.querySelectorAll(".plot")).map(function (element) {
      var set = data[element.dataset.chart];
      var names = element.dataset.line ? [element.dataset.line] : Object.keys(set.lines);
      var axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
      return new uPlot({
        width: element.clientWidth, height: element.dataset.line ? 170 : 240, padding: [8, 8, 0, 0],
        legend: { show: true, live: true, markers: { width: 2 } },
        // Where nothing is pointed at, the legend tells the newest run.
        hooks: { ready: [newest], setCursor: [function (plot) { if (plot.cursor.idx == null) newest(plot); }] },
        cursor: { y: false, points: { size: 6 } },
        scales: { y: { range: range } },
        // A count has no halves: an axis from 35 to 36 must not offer 35.5.
        axes: [axis, Object.assign({ size: 56, incrs: element.dataset.chart === "durations" ? undefined : WHOLE, values: function (plot, values) { return values.map(short); } }, axis)],
        series: [{ label: "Run", value: function (plot, at) { return at === null ? "–" : new Date(at * 1000).toLocaleDateString(); } }].concat(names.map(function (name, index) {
          return { label: name, stroke: colour("--s" + index % 6), width: 2, points: { show: set.at.length < 40, size: 4 }, spanGaps: true,
            value: function (plot, value) { return value === null ? "–" : element.dataset.chart === "durations" ? value.toFixed(1) + " s" : value.toLocaleString(); } };
        }))
      }, [set.at].concat(names.map(function (name) { return set.lines[name]; })), element);
    });
  }
  document.addEventListener("DOMContentLoaded", function () {
    var root = document.getElementById("trends");
    if (!root) return;
    fetch(root.dataset.source, { headers: { Accept: "application/json" } })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
      .then(function (found) {
        data = found;
        draw();
        var width = root.clientWidth;
        new ResizeObserver(function () { if (root.clientWidth !== width) { width = root.clientWidth; draw(); } }).observe(root);
        document.addEventListener("theme-change", draw);
      })
      .catch(function () { root.insertAdjacentText("afterbegin", "The charts could not be loaded: reload the page."); });
  });
})();
