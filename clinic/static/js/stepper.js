// On a phone one vital at a time, within the reach of a thumb: a tap chooses and goes on to the next. The values of the
// read-back bar stand on top and lead to theirs. Without this file the ladders stand one under another.

const NARROW = matchMedia("(max-width: 600px)");

function control(text, className, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
}

class Stepper {
  constructor(box, bar) {
    this.box = box;
    this.ladders = [...box.querySelectorAll("[data-ladder]")];
    this.tops = [...bar.querySelectorAll("[data-for]")].map((place) => this.top(place));
    this.tops.push(this.end());
    const row = bar.querySelector(".vals");
    row.classList.add("stp");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "Which vital");
    row.append(this.tops.at(-1));
    box.before(row);
    this.back = control("Back", "btn bed", () => this.go(this.at - 1));
    this.skip = control("Skip", "btn bed", () => this.go(this.at + 1));
    this.save = bar.querySelector("[type=submit]");
    bar.append(this.back, this.skip, this.save);
    box.classList.add("step");
    box.addEventListener("click", (event) => {
      if (event.target.type === "radio" && this.ladders[this.at]?.contains(event.target)) this.go(this.at + 1);
    });
    // The summary of what was refused leads to a ladder by its name.
    addEventListener("hashchange", () => this.open(location.hash.slice(1)));
    const bad = this.ladders.findIndex((ladder) => ladder.getAttribute("aria-invalid"));
    this.go(bad > 0 ? bad : 0, false);
  }

  /** A value of the read-back bar becomes a button that leads to its ladder. */
  top(place) {
    const button = control("", place.className, () => this.open(button.dataset.for.split(" ")[0]));
    button.dataset.for = place.dataset.for;
    button.replaceChildren(...place.childNodes);
    place.replaceWith(button);
    return button;
  }

  /** What follows the last ladder: the rarer values, and Save. */
  end() {
    const button = control("", "", () => this.go(this.ladders.length));
    const words = document.createElement("span");
    words.textContent = "Save";
    const mark = document.createElement("b");
    mark.textContent = "\u2026";
    button.append(words, mark);
    return button;
  }

  open(name) {
    const at = this.ladders.findIndex((ladder) => ladder.id === name);
    if (at >= 0) this.go(at);
  }

  go(at, moves = true) {
    this.at = Math.max(0, Math.min(at, this.ladders.length));
    const here = this.ladders[this.at];
    for (const ladder of this.ladders) ladder.hidden = ladder !== here;
    for (const trend of this.box.querySelectorAll("[data-trend]")) {
      trend.hidden = !here || !trend.dataset.trend.split(" ").includes(here.id);
    }
    for (const rest of this.box.querySelectorAll(":scope > details")) rest.hidden = Boolean(here);
    for (const top of this.tops) {
      const isHere = here ? (top.dataset.for ?? "").split(" ").includes(here.id) : top === this.tops.at(-1);
      if (isHere) top.setAttribute("aria-current", "step");
      else top.removeAttribute("aria-current");
    }
    this.back.disabled = this.at === 0;
    this.skip.hidden = !here;
    this.save.hidden = Boolean(here);
    if (moves) scrollTo(0, 0);
  }
}

/** Turn the ladders into steps on a narrow glass; says whether it did. */
export function step(box, bar) {
  if (!NARROW.matches || !box || !bar) return false;
  new Stepper(box, bar);
  return true;
}
