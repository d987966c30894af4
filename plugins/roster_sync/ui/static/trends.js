// Draws the trends with uPlot, in the colors of the page, and again when the color mode or the width changes.
(function () {
  "use strict";
  var data = null;
  var plots = [];
  var WHOLE = [1, 2, 5];
  while (WHOLE[WHOLE.length - 1] < 1e9) WHOLE.push(WHOLE[WHOLE.length - 3] * 10);

  function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
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
  // A chart of one line has no legend: its heading tells the number pointed at, and when that was; else the newest.
  function heading(element) {
    var now = element.parentNode.querySelector("[data-now]"), then = element.parentNode.querySelector("[data-then]");
    var first = [now.textContent, then.textContent];
    return function (plot) {
      var at = plot.cursor.idx, value = at == null ? null : plot.data[1][at];
      now.textContent = value == null ? first[0] : value.toLocaleString();
      then.textContent = value == null ? first[1] : new Date(plot.data[0][at] * 1000).toLocaleDateString();
    };
  }
  function day(at) { return new Date(at * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short" }); }
  function axes(more) {
    var axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    var across = Object.assign({}, axis, { size: 30, grid: { show: false } }, more);
    // A count has no halves: an axis from 35 to 36 must not offer 35.5.
    return [across, Object.assign({ size: 56, incrs: WHOLE, values: function (plot, values) { return values.map(short); } }, axis)];
  }
  // One number over time.
  function line(element, set) {
    var name = element.dataset.line;
    return new uPlot({
      width: element.clientWidth, height: 150, padding: [8, 24, 0, 0], legend: { show: false },
      hooks: { setCursor: [heading(element)] }, cursor: { y: false, points: { size: 6 } }, scales: { y: { range: range } },
      axes: axes({ values: function (plot, values) { return values.map(day); }, space: 70 }),
      series: [{}, { label: name, stroke: color("--s0"), width: 2, fill: color("--accent-bg"), points: { show: set.at.length < 40, size: 4 }, spanGaps: true }]
    }, [set.at, set.lines[name]], element);
  }
  // Run by run, what adds up: one bar a run, its parts on top of each other.
  function bars(element, set) {
    var names = Object.keys(set.lines), seconds = element.dataset.chart === "durations";
    var sums = set.at.map(function () { return 0; });
    var parts = names.map(function (name) { return (sums = sums.map(function (sum, at) { return sum + (set.lines[name][at] || 0); })); });
    var order = names.map(function (name, index) { return index; }).reverse(); // the whole bar first, its lowest part last
    return new uPlot({
      width: element.clientWidth, height: 220, padding: [8, 24, 0, 0], legend: { show: true, live: true, markers: { width: 0, fill: function (plot, at) { return color("--s" + order[at - 1] % 6); } } },
      // Where nothing is pointed at, the legend tells the newest run.
      hooks: { ready: [newest], setCursor: [function (plot) { if (plot.cursor.idx == null) newest(plot); }] },
      cursor: { y: false, points: { show: false } },
      scales: { x: { time: false, range: [-0.6, set.at.length - 0.4] }, y: { range: function (plot, low, high) { return [0, (high || 1) * 1.08]; } } },
      axes: axes({ incrs: WHOLE, space: 70, values: function (plot, values) { return values.map(function (at) { return set.at[at] ? day(set.at[at]) : ""; }); } }),
      series: [{ label: "Run", value: function (plot, at) { return at == null ? "–" : set.runs[at] + ", " + day(set.at[at]); } }].concat(order.map(function (index) {
        return { label: names[index], fill: color("--s" + index % 6), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 36] }),
          value: function (plot, sum, series, at) { var value = at == null ? null : set.lines[names[index]][at]; return value == null ? "–" : seconds ? value.toFixed(1) + " s" : value.toLocaleString(); } };
      }))
    }, [set.at.map(function (moment, at) { return at; })].concat(order.map(function (index) { return parts[index]; })), element);
  }
  function draw() {
    plots.forEach(function (plot) { plot.destroy(); });
    plots = Array.from(document.querySelectorAll(".plot")).map(function (element) {
      var set = data[element.dataset.chart];
      return element.dataset.line ? line(element, set) : bars(element, set);
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
