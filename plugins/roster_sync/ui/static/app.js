// The little that the server cannot do: local times, links out of Airflow's iframe, ticking all, dialogs, focus.
(function () {
  "use strict";

  function localTimes(scope) {
    scope.querySelectorAll("time[datetime]:not([data-local])").forEach(function (element) {
      var moment = new Date(element.getAttribute("datetime"));
      if (isNaN(moment)) return;
      var isDay = element.classList.contains("day"); // a day is the same day everywhere
      var text = isDay ? moment.toLocaleDateString(undefined, { dateStyle: "medium", timeZone: "UTC" })
        : moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      element.dataset.local = "true";
      if (element.classList.contains("ago")) element.title = text; else element.textContent = text;
    });
  }

  // Airflow's iframe allows neither _top nor _blank: an anchor made in the parent document may lead there.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-airflow]");
    if (!link || window.parent === window) return;
    try {
      var outside = window.parent.document.createElement("a");
      outside.href = link.href;
      window.parent.document.body.appendChild(outside);
      event.preventDefault();
      outside.click();
      outside.remove();
    } catch (error) { /* framed by another origin: the link opens in the frame */ }
  });

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-dialog]");
    if (opener) {
      var dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) { event.preventDefault(); dialog.showModal(); }
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });

  // Tick all in a list; the number of ticked ones; buttons that need at least one. All are those that a filter shows.
  function isTicked(box) { return box.checked; }
  function shownBoxes(form) {
    var boxes = Array.from(form.querySelectorAll("input[type=checkbox][data-tick]"));
    return boxes.filter(function (box) { return !box.closest("[hidden]"); });
  }
  function ticks(form) {
    var ticked = form.querySelectorAll("input[type=checkbox][data-tick]:checked").length;
    form.querySelectorAll("[data-ticked]").forEach(function (element) {
      element.textContent = ticked ? ticked + " selected" : "None selected";
    });
    form.querySelectorAll("[data-needs-tick]").forEach(function (button) { button.disabled = ticked === 0; });
    var all = form.querySelector("[data-tick-all]");
    if (all) {
      var shown = shownBoxes(form);
      all.checked = shown.length > 0 && shown.every(isTicked);
      all.indeterminate = !all.checked && shown.some(isTicked);
    }
  }
  document.addEventListener("change", function (event) {
    var form = event.target.closest("form");
    if (!form) return;
    if (event.target.matches("[data-tick-all]")) {
      shownBoxes(form).forEach(function (box) { box.checked = event.target.checked; });
    }
    choices(form);
    ticks(form);
  });

  // What belongs to a choice is shown only while it is chosen. Else its fieldset is off: a hidden date that has passed
  // would keep the form from being sent.
  function choices(form) {
    form.querySelectorAll("[data-shown-for]").forEach(function (element) {
      var parts = element.dataset.shownFor.split("=");
      var chosen = form.querySelector('input[name="' + parts[0] + '"]:checked');
      element.hidden = element.disabled = !chosen || chosen.value !== parts[1];
    });
  }

  // The name must be typed as it is before the button works; the server checks it again.
  document.addEventListener("input", function (event) {
    var expected = event.target.dataset.mustBe;
    if (expected === undefined) return;
    var button = event.target.closest("form").querySelector("[type=submit]");
    button.disabled = event.target.value.trim() !== expected;
  });

  // A filter of a list on the page itself.
  document.addEventListener("input", function (event) {
    var target = event.target.dataset.filters;
    if (!target) return;
    var wanted = event.target.value.trim().toLowerCase();
    document.querySelectorAll(target).forEach(function (row) {
      row.hidden = wanted !== "" && row.textContent.toLowerCase().indexOf(wanted) < 0;
    });
    ticks(event.target.closest("form"));
  });

  function prepare(scope) {
    localTimes(scope);
    document.querySelectorAll("form").forEach(function (form) { choices(form); ticks(form); });
    document.querySelectorAll("input[data-must-be]").forEach(function (field) {
      field.closest("form").querySelector("[type=submit]").disabled = field.value.trim() !== field.dataset.mustBe;
    });
  }
  document.addEventListener("DOMContentLoaded", function () {
    prepare(document);
    var target = document.querySelector("[data-focus]");
    if (target) target.focus();
  });
  // A part that is asked for again and again must neither take the focus away nor read the same to a screen reader twice.
  var focused = null;
  function announce() {
    var badge = document.querySelector("#live h1 .badge");
    var now = document.querySelector("#live [aria-current=step] .what");
    var text = badge ? badge.textContent + (now ? ": " + now.textContent : "") : "";
    var place = document.getElementById("announce");
    if (place && text && place.textContent !== text) place.textContent = text;
  }
  document.addEventListener("htmx:afterSwap", function (event) {
    prepare(document);
    announce();
    if (focused) {
      Array.from(document.querySelectorAll("a[href], button, [tabindex]")).some(function (element) {
        var same = (element.getAttribute("href") || element.textContent) === focused;
        if (same) element.focus({ preventScroll: true });
        return same;
      });
    }
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var active = document.activeElement;
    focused = active && event.detail.target.contains(active) ? active.getAttribute("href") || active.textContent : null;
    // A problem comes as a sentence: show it in place of the answer.
    if (event.detail.xhr.status >= 400 && event.detail.xhr.getResponseHeader("Content-Type").indexOf("text/html") === 0) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.addEventListener("submit", function (event) {
    // A second click must not start a second run.
    var form = event.target;
    if (form.matches("form[data-once]")) {
      setTimeout(function () {
        form.querySelectorAll("[type=submit]").forEach(function (button) { button.disabled = true; });
      }, 0);
    }
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) document.querySelectorAll("form[data-once] [type=submit]").forEach(function (b) { b.disabled = false; });
  });
})();
