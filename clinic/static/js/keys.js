// Single-letter keys. They act only outside fields, never with a modifier, and can be turned off in the account
// (data-keys="off" on the body), as WCAG 2.1.4 asks. Escape always works: it closes, and inside a field it leaves the field.

const FIELDS = "input:not([type=radio], [type=checkbox], [type=submit]), select, textarea, [contenteditable]";

function move(step) {
  const links = [...document.querySelectorAll("[data-move] a")];
  if (!links.length) return;
  const focused = links.indexOf(document.activeElement);
  const at = focused >= 0 ? focused : links.findIndex((link) => link.parentElement.matches(".sel"));
  links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.(FIELDS)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key.length === 1 && document.body.dataset.keys === "off") return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "j" || key === "k") {
    move(key === "j" ? 1 : -1);
    return;
  }
  const target = [...document.querySelectorAll("[data-key]")].find((element) => element.dataset.key === key && !element.disabled);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input, select, textarea")) target.focus();
  else target.click();
});
