"use strict";
(function () {
  var said = document.getElementById("said");
  if (/^#1\.[a-z2-7]{32}$/.test(location.hash)) {
    document.getElementById("join").textContent = "assist join '" + location.origin + location.pathname + location.hash + "'";
    document.getElementById("open").href += location.hash;
    document.getElementById("key").hidden = false;
  }
  if (!navigator.clipboard) {
    return;
  }
  document.querySelectorAll("button[data-copies]").forEach(function (button) {
    var label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent).then(function () {
        said.textContent = button.textContent = "Copied";
      }, function () {
        said.textContent = button.textContent = "Not allowed: select it instead";
      }).then(function () {
        setTimeout(function () { button.textContent = label; said.textContent = ""; }, 3000);
      });
    });
  });
})();
