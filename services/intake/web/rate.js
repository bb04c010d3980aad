// Moves the token from behind the # into the form, and out of the address and the browser's history.
"use strict";
const token = window.location.hash.slice(1);
if (token) {
  document.getElementById("token").value = token;
  window.history.replaceState(null, "", window.location.pathname);
}
