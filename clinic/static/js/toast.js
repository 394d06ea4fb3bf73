// A toast goes after 10 s: that is how long an act can be taken back from the corner. It stays while it is pointed at or
// has the focus, so that slow hands do not lose it.

const TIME = 10000;

function watch(toast) {
  let timer = setTimeout(() => toast.remove(), TIME);
  const hold = () => clearTimeout(timer);
  const go = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), TIME);
  };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusout", go);
}

document.querySelectorAll("[data-toast]").forEach(watch);
