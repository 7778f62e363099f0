/* The table of announcements, the picker of a day, and keys for what scrolls. */
(function () {
  "use strict";

  function sortable(table, count, find) {
    var body = table.tBodies[0], heads = Array.from(table.tHead.rows[0].cells);
    function key(row, column) {
      var cell = row.cells[column];
      return "key" in cell.dataset ? Number(cell.dataset.key) : cell.textContent;
    }
    heads.forEach(function (head, column) {
      head.querySelector("button").addEventListener("click", function () {
        var way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
        Array.from(body.rows).sort(function (one, other) {
          var a = key(one, column), b = key(other, column);
          if (typeof a === "string") {
            if (!a !== !b) return a ? -1 : 1;
            return way * a.localeCompare(b);
          }
          if (isFinite(a) !== isFinite(b)) return isFinite(a) ? -1 : 1;
          return a === b ? 0 : way * (a < b ? -1 : 1);
        }).forEach(function (row) { body.append(row); });
      });
    });
    function search() {
      var words = find.value.toLowerCase().split(/\s+/), rows = Array.from(body.rows);
      rows.forEach(function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !words.every(function (word) { return text.includes(word); });
      });
      var left = rows.filter(function (row) { return !row.hidden; }).length;
      count.textContent = left + " of " + rows.length;
    }
    find.addEventListener("input", search);
    search();
  }

  function picker(day, answer, told) {
    var names = Object.keys(told.days);
    function long(iso) {
      return new Date(iso + "T12:00Z").toLocaleDateString("en-GB",
        { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" })
        .replace(",", "");
    }
    function say(words) {
      var line = document.createElement("p");
      line.append.apply(line, [].concat(words));
      answer.append(line);
    }
    function links(pages) {
      return pages.flatMap(function (page, number) {
        var link = document.createElement("a");
        link.href = page[0] + ".html";
        link.textContent = page[1];
        return number ? [", ", link] : [link];
      });
    }
    function show() {
      answer.textContent = "";
      if (!day.value) return;
      var facts = told.days[day.value];
      if (!facts) {
        var next = names.find(function (name) { return name > day.value; });
        if (day.value < names[0] || !next) {
          say("The data run from " + long(names[0]) + " to " + long(names[names.length - 1]) + ".");
        } else {
          say("There was no trading on " + long(day.value) + "; the next day of trading was " +
            long(next) + ".");
        }
        return;
      }
      say("On " + long(day.value) + " the S&P 500 " + facts[0] + ".");
      say("The volatility forecast the evening before was " + facts[1] + " a day. For such a " +
        "day the move is " + (facts[3] ? "" : "not ") + "unusual at the 5% level (" + facts[2] +
        ").");
      say("The test reliably finds only moves of " + facts[4] + " or more. " + (facts[3] ?
        "A day that is picked for its move looks more unusual than it is." :
        "A smaller effect could have gone unnoticed."));
      var pages = told.news[day.value];
      if (pages) say(["Announcements: "].concat(links(pages), "."));
    }
    day.addEventListener("input", show);
    show();
  }

  var table = document.getElementById("event-table"), day = document.querySelector("input#day");
  if (table) sortable(table, document.getElementById("count"), document.getElementById("find"));
  if (day) {
    picker(day, document.getElementById("answer"),
      JSON.parse(document.getElementById("days").textContent));
  }
  function reachable() {
    document.querySelectorAll("pre, .text_html, .cell_output, .table-wrapper, div.math, .wide").forEach(
      function (part) { if (part.scrollWidth > part.clientWidth) part.tabIndex = 0; });
  }
  reachable();
  window.addEventListener("load", reachable);
  window.addEventListener("resize", reachable);
})();
