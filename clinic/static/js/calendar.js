// A booked appointment is dragged to another chair or day of the week that is shown. Where it could stand, and at what
// time, the server says when the drag begins; the drop sends the same form as the appointment's own page. Without this
// script that page moves it.

const form = document.getElementById("drop");
const week = document.querySelector(".wk");
let places = new Map();
let dragged = null;

const key = (day, chair) => `${day} ${chair}`;
const placeOf = (cell) => places.get(key(cell.dataset.day, cell.dataset.chair));

async function ask(event) {
  const link = event.target.closest?.("a.ev[data-version]");
  if (!link) return;
  dragged = link;
  event.dataTransfer.effectAllowed = "move";
  week.classList.add("dragging");
  const day = week.querySelector("[data-day]").dataset.day;
  const answer = await fetch(`${new URL(link.href).pathname}/places?week=${day}`);
  if (!answer.ok || dragged !== link) return;
  places = new Map((await answer.json()).map((place) => [key(place.day, place.chair), place]));
  for (const cell of week.querySelectorAll("[data-chair]")) {
    const place = placeOf(cell);
    if (place) cell.dataset.drop = place.clock;
  }
}

function end() {
  dragged = null;
  places = new Map();
  week.classList.remove("dragging");
  for (const cell of week.querySelectorAll("[data-drop]")) {
    delete cell.dataset.drop;
    cell.classList.remove("over");
  }
}

function over(event) {
  const cell = event.target.closest?.("[data-drop]");
  for (const other of week.querySelectorAll(".over")) if (other !== cell) other.classList.remove("over");
  if (!cell) return;
  event.preventDefault();
  cell.classList.add("over");
}

function drop(event) {
  const cell = event.target.closest?.("[data-drop]");
  const place = cell && placeOf(cell);
  if (!place || !dragged) return;
  event.preventDefault();
  form.elements.appointment.value = new URL(dragged.href).pathname.split("/").at(-1);
  form.elements.to.value = place.to;
  form.elements.version.value = dragged.dataset.version;
  form.elements.patient_id.value = dragged.dataset.patient;
  form.submit();
}

if (form && week) {
  week.addEventListener("dragstart", ask);
  week.addEventListener("dragend", end);
  week.addEventListener("dragover", over);
  week.addEventListener("drop", drop);
}
