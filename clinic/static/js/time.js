// Minus and plus one minute beside a time field. The field works without them.

for (const button of document.querySelectorAll("[data-minutes]")) {
  const field = document.getElementById(button.dataset.target);
  if (!field) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    const found = /^(\d{1,2}):?(\d{2})$/.exec(field.value.trim());
    if (!found) return;
    const day = 24 * 60;
    const total = (Number(found[1]) * 60 + Number(found[2]) + Number(button.dataset.minutes) + day) % day;
    field.value = `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
