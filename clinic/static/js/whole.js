// A chart that scrolls shows a number whole or not at all: "154" half under the names on the left would be read as 54,
// and half under the limits on the right as 15. Without script it is shown in parts that do not scroll.

const known = new WeakMap();

/** The texts of the plot with their left and right ends, in the px of the drawing. */
function texts(chart) {
  if (!known.has(chart)) {
    const plot = chart.querySelector(".chrow > svg:not(.chleft, .chright)");
    const found = [...plot.querySelectorAll("text")].map((text) => {
      const box = text.getBBox();
      return [text, box.x - plot.viewBox.baseVal.x, box.x + box.width - plot.viewBox.baseVal.x];
    });
    known.set(chart, { plot, found });
  }
  return known.get(chart);
}

function hideCut(chart) {
  const { plot, found } = texts(chart);
  const from = plot.getBoundingClientRect().left;
  const first = chart.querySelector(".chleft").getBoundingClientRect().right - from;
  const last = chart.querySelector(".chright").getBoundingClientRect().left - from;
  for (const [text, left, right] of found) {
    text.classList.toggle("cut", (left < first - 1 && right > first) || (left < last && right > last + 1));
  }
}

function hideAll() {
  document.querySelectorAll(".chscroll:has(.chleft)").forEach((chart) => {
    if (chart.offsetParent) hideCut(chart);
  });
}

addEventListener(
  "scroll",
  (event) => {
    if (event.target.matches?.(".chscroll:has(.chleft)")) requestAnimationFrame(() => hideCut(event.target));
  },
  { capture: true, passive: true },
);
addEventListener("resize", hideAll);
document.addEventListener("chairtime:swapped", hideAll);
document.fonts.ready.then(hideAll);
