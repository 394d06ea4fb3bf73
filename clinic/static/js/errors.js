// A refused form: the list of what to mend gets the focus, so that a screen reader starts there and the keyboard is near.

document.querySelector("[data-error-summary]")?.focus({ preventScroll: false });

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  target.scrollIntoView({ block: "center" });
  (target.matches("fieldset, table, div") ? target.querySelector("input, select, textarea, button") ?? target : target).focus();
});
