"use strict";
(function () {
  var command = document.getElementById("command");
  var copy = document.getElementById("copy");
  if (/^#1\.[a-z2-7]{32}$/.test(location.hash)) {
    command.textContent = "assist join '" + location.origin + location.pathname + location.hash + "'";
    document.getElementById("key").hidden = false;
  }
  if (navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", function () {
      navigator.clipboard.writeText(command.textContent).then(function () {
        document.getElementById("said").textContent = "Copied.";
      }, function () {
        document.getElementById("said").textContent = "The browser did not allow it: select the command instead.";
      });
    });
  }
})();
