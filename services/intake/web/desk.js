// Suggests cadres while their number or name is typed, and opens the days of a stay. Without script the form works as well.
"use strict";
const field = document.querySelector("input[data-suggest]:not([readonly])");
if (field) {
  const list = document.getElementById(field.getAttribute("list"));
  let asked = "";
  let waiting = 0;
  field.addEventListener("input", () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(async () => {
      const text = field.value.trim();
      if (!text || text === asked || [...list.options].some((option) => option.value === text)) return;
      asked = text;
      const address = new URL(field.dataset.suggest, window.location.href);
      address.searchParams.set("text", text);
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok || asked !== text) return;
      const found = await answer.json();
      list.replaceChildren(...found.items.map((one) => {
        const option = document.createElement("option");
        option.value = `${one.staff_number} ${one.name}`;
        return option;
      }));
    }, 250);
  });
}
const kind = document.getElementById("kind");
if (kind) {
  kind.addEventListener("change", () => {
    if (kind.value === "field_stay") document.querySelector("details").open = true;
  });
}
