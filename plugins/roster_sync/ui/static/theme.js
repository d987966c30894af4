// Follows Airflow's color mode, inside its iframe and alone. Loaded first, so that no page flashes in the wrong one.
(function () {
  "use strict";
  var root = document.documentElement;
  function parentMode() {
    try {
      if (window.parent === window) return null;
      var list = window.parent.document.documentElement.classList;
      return list.contains("dark") ? "dark" : list.contains("light") ? "light" : null;
    } catch (error) { return null; } // framed by another origin
  }
  function storedMode() {
    try {
      var stored = window.localStorage.getItem("theme"); // Airflow's own key
      return stored === "dark" || stored === "light" ? stored : null;
    } catch (error) { return null; }
  }
  function apply() {
    var system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    var mode = parentMode() || storedMode() || system;
    if (root.dataset.theme !== mode) {
      root.dataset.theme = mode;
      document.dispatchEvent(new CustomEvent("theme-change"));
    }
  }
  apply();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  window.addEventListener("storage", apply);
  try {
    if (window.parent !== window) {
      root.classList.add("framed");
      new MutationObserver(apply).observe(window.parent.document.documentElement, { attributes: true, attributeFilter: ["class"] });
    }
  } catch (error) { /* framed by another origin: the system's mode stays */ }
})();
