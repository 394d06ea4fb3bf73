// Shows the points of each row and their sum as they are chosen; the server adds them up again.

document.addEventListener("change", (event) => {
  const row = event.target.closest("[data-score-row]");
  if (!row) return;
  row.querySelector("[data-score]").textContent = event.target.value;
  const table = row.closest("table");
  const total = document.querySelector("[data-score-total]");
  if (!total) return;
  const rows = [...table.querySelectorAll("[data-score-row]")];
  const chosen = rows.map((each) => each.querySelector("input:checked")).filter(Boolean);
  total.textContent = chosen.length === rows.length ? String(chosen.reduce((sum, input) => sum + Number(input.value), 0)) : "–";
});
