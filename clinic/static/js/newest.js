// A long course opens at its newest sessions: the table and the chart of pain scroll there sideways. Without script they
// begin with the first session, and everything is reached by scrolling.

for (const box of document.querySelectorAll("[data-newest]")) {
  const heads = [...box.querySelectorAll("thead th")];
  const newest = heads.findLast((head) => head.matches(".cur") || head.querySelector("a")) ?? heads.at(-1);
  const next = newest?.nextElementSibling ?? newest;
  if (next) box.scrollLeft = next.offsetLeft + next.offsetWidth - box.clientWidth;
  const chart = document.querySelector(".trend.chscroll");
  if (chart) chart.scrollLeft = (chart.scrollWidth * (heads.indexOf(next) + 1)) / heads.length - chart.clientWidth;
}
