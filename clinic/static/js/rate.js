// The rate sheet reads the chosen step back in large numbers, in mg/h, mL/h and mg/kg/h, beside what the plan would come
// to. A rate that is typed is read back in the same three units. Without script a list beside the cells says the same, and
// the answer does of what was typed.

import { together } from "./rates.js";

const sheet = document.querySelector("[data-rate-sheet]");
const save = sheet?.querySelector("[data-rate-save]");
const plain = save?.textContent;

sheet?.addEventListener("change", (event) => {
  const cell = event.target.closest("[data-mg]");
  const place = (name) => sheet.querySelector(`[data-read="${name}"]`);
  if (!cell) return;
  for (const name of ["mg", "ml", "kg", "total", "stop"]) {
    const target = place(name);
    if (target) target.textContent = cell.dataset[name] || "–";
  }
  const at = sheet.querySelector("[name=at]")?.value;
  save.textContent = at ? `Record ${cell.dataset.mg} at ${at}` : `Record ${cell.dataset.mg}`;
});

sheet?.querySelector("[name=rate_ml_h]")?.addEventListener("input", (event) => {
  if (!event.target.value.trim()) return;
  for (const input of sheet.querySelectorAll("[name=step]:checked")) input.checked = false;
  const said = together(event.target.value, sheet.dataset) ?? {};
  for (const target of sheet.querySelectorAll("[data-read]")) target.textContent = said[target.dataset.read] || "–";
  save.textContent = plain;
});
