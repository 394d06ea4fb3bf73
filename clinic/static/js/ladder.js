// The ladder of vitals: pages in place, and reads back in large numbers what is chosen. Without this file the radios,
// the keypad fields and the page buttons do the same through the server.

import { step } from "./stepper.js";

// How many numbers a page of the ladder holds, and in how many columns: in pairs, on a phone in fives.
const PAIRS = { page: 18, columns: 2 };
const FIVES = { page: 25, columns: 5 };

const number = (text) => (text === undefined || text === "" ? undefined : Number(text));

function icon(shape) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  for (const [d, filled] of shape) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    if (filled) path.setAttribute("class", "f");
    svg.append(path);
  }
  return svg;
}
const HIGH = [["M10 4l7 12H3z", true]];
const LOW = [["M10 16L3 4h14z", true]];
const WARNING = [["M10 3l8 14H2z"], ["M10 8v4.5M10 14.7v.1"]];

/** Whether a value is "high", "low" or undefined against the limits of the order. Pure, for tests. */
export function outside(value, low, high) {
  if (value === undefined || Number.isNaN(value)) return undefined;
  if (high !== undefined && value > high) return "high";
  if (low !== undefined && value < low) return "low";
  return undefined;
}

class Ladder {
  constructor(fieldset, layout) {
    this.fieldset = fieldset;
    this.layout = layout;
    const data = fieldset.dataset;
    this.name = data.ladder;
    this.label = data.label;
    this.unit = data.unit === "%" ? "%" : "";
    this.minimum = number(data.min);
    this.maximum = number(data.max);
    this.low = number(data.low);
    this.high = number(data.high);
    this.last = number(data.last);
    this.jump = number(data.jump);
    this.limitBy = data.limitBy;
    this.cells = fieldset.querySelector("[data-cells]");
    this.typed = fieldset.querySelector(`[name="${this.name}_typed"]`);
    if (this.cells) this.bottom = Math.min(...[...this.cells.querySelectorAll("label:not(.kept) input")].map((input) => Number(input.value)));
    fieldset.addEventListener("click", (event) => this.page(event));
    fieldset.addEventListener("change", (event) => {
      if (event.target.type !== "radio") return;
      if (this.typed) this.typed.value = "";
    });
    this.typed?.addEventListener("input", () => {
      if (!this.typed.value.trim()) return;
      for (const input of this.fieldset.querySelectorAll("input:checked")) input.checked = false;
    });
    this.longPress();
    if (this.cells && layout === FIVES) this.turn(this.bottom - (FIVES.page - PAIRS.page - 1) / 2);
  }

  /** What is chosen or typed, as text; undefined while nothing is. */
  get chosen() {
    const typed = this.typed?.value.trim();
    return typed || this.fieldset.querySelector("input:checked")?.value;
  }

  /** Holding a cell opens the keypad. */
  longPress() {
    if (!this.typed || !this.cells) return;
    let timer;
    const stop = () => clearTimeout(timer);
    this.cells.addEventListener("pointerdown", () => {
      stop();
      timer = setTimeout(() => this.typed.focus(), 600);
    });
    for (const kind of ["pointerup", "pointercancel", "pointerleave"]) this.cells.addEventListener(kind, stop);
  }

  page(event) {
    const button = event.target.closest("[data-page]");
    if (!button) return;
    event.preventDefault();
    const { page } = this.layout;
    this.turn(this.bottom + (button.dataset.page === "up" ? page : -page));
  }

  /** Show the page that begins nearest to a number. */
  turn(wanted) {
    this.show(Math.max(Math.min(wanted, this.maximum - this.layout.page + 1), this.minimum));
  }

  show(bottom) {
    const chosen = this.fieldset.querySelector("input:checked")?.value;
    const { page, columns } = this.layout;
    const top = Math.min(bottom + page - 1, this.maximum);
    const cells = [];
    for (let row = page / columns - 1; row >= 0; row -= 1) {
      for (let value = bottom + columns * row; value < bottom + columns * (row + 1); value += 1) {
        if (value <= top) cells.push(this.cell(value, chosen));
      }
    }
    if (chosen !== undefined && (Number(chosen) < bottom || Number(chosen) > top)) cells.push(this.cell(Number(chosen), chosen, " kept"));
    this.cells.replaceChildren(...cells);
    this.bottom = bottom;
    const up = this.fieldset.querySelector("[data-page=up]");
    const down = this.fieldset.querySelector("[data-page=down]");
    up.disabled = top >= this.maximum;
    down.disabled = bottom <= this.minimum;
    up.value = `${this.name}:${bottom + page}`;
    down.value = `${this.name}:${bottom - page}`;
    up.querySelector("span").textContent = `${top + 1} up`;
    down.querySelector("span").firstChild.textContent = String(bottom - 1);
  }

  cell(value, chosen, more = "") {
    const label = document.createElement("label");
    label.className = `cell pick${value === this.last ? " last" : ""}${outside(value, this.low, this.high) ? " oob" : ""}${more}`;
    const input = document.createElement("input");
    input.type = "radio";
    input.name = this.name;
    input.value = String(value);
    input.checked = String(value) === chosen;
    label.append(input, String(value));
    return label;
  }

  /** What there is to say about a value: a refusal, a limit, an unusual change. */
  remarks(text) {
    const value = Number(text);
    if (text === undefined || Number.isNaN(value)) return [];
    if (value < this.minimum || value > this.maximum) return [{ level: "crit", text: `${this.label}: enter a value from ${this.minimum} to ${this.maximum}` }];
    const side = outside(value, this.low, this.high);
    const remarks = [];
    if (side) {
      const limit = side === "high" ? this.high : this.low;
      const by = this.limitBy ? ` set by ${this.limitBy}` : "";
      remarks.push({ level: "crit", text: `${this.label} ${value}${this.unit} is ${side === "high" ? "above" : "below"} the limit of ${limit}${this.unit}${by}.` });
    }
    if (this.jump !== undefined && this.last !== undefined && Math.abs(value - this.last) > this.jump) {
      remarks.push({ level: "warn", text: `${this.label} was ${this.last}, is ${value}?` });
    }
    return remarks;
  }
}

class ReadBack {
  constructor(bar, ladders) {
    this.bar = bar;
    this.ladders = ladders;
    this.line = {};
    this.places = [...document.querySelectorAll("[data-for]")];
    this.own = bar.querySelector("[data-messages]").cloneNode(true);
    const scope = bar.closest("form") ?? document;
    scope.addEventListener("change", () => this.show());
    scope.addEventListener("input", () => this.show());
    scope.addEventListener("chairtime:line", (event) => {
      this.line = event.detail;
      this.show();
    });
    if ([...ladders.values()].some((ladder) => ladder.chosen !== undefined)) this.show();
  }

  /** A typed line wins over the ladder, value by value, as it does on the server. */
  value(name) {
    return this.line[name] === undefined ? this.ladders.get(name)?.chosen : String(this.line[name]);
  }

  show() {
    const remarks = [];
    for (const place of this.places) {
      const names = place.dataset.for.split(" ");
      const values = names.map((name) => this.value(name));
      const said = names.map((name, at) => this.ladders.get(name)?.remarks(values[at]) ?? []);
      remarks.push(...said.flat());
      this.place(place, names, values, said);
    }
    this.say(remarks);
  }

  place(place, names, values, said) {
    const text = values.every((value) => value === undefined) ? "–" : values.map((value) => value ?? "–").join("/");
    const unit = this.ladders.get(names[0])?.unit ?? "";
    const strong = place.querySelector("b");
    const bad = said.flat().some((remark) => remark.level === "crit");
    place.classList.toggle("bad", bad);
    place.classList.toggle("chg", !bad && said.flat().length > 0);
    strong.replaceChildren(text === "–" ? text : `${text}${/^\d/.test(text) ? unit : ""}`);
    if (!bad) return;
    const at = said.findIndex((list) => list.some((remark) => remark.level === "crit"));
    const ladder = this.ladders.get(names[at]);
    const mark = document.createElement("span");
    mark.className = "fl";
    mark.append(icon(outside(Number(values[at]), ladder.low, ladder.high) === "low" ? LOW : HIGH), ...strong.childNodes);
    strong.replaceChildren(mark);
  }

  say(remarks) {
    const box = this.bar.querySelector("[data-messages]");
    const level = remarks.some((remark) => remark.level === "crit") ? "crit" : remarks.length ? "warn" : "calm";
    if (!remarks.length) {
      box.className = this.own.className;
      box.replaceChildren(...this.own.cloneNode(true).childNodes);
      return;
    }
    const words = document.createElement("div");
    words.append(...remarks.flatMap((remark, at) => (at ? [document.createElement("br"), remark.text] : [remark.text])));
    box.className = `msg ${level}`;
    box.replaceChildren(icon(WARNING), words);
  }
}

if (typeof document !== "undefined") {
  const bar = document.querySelector("[data-readback]");
  const layout = step(document.querySelector("[data-ladders]"), bar) ? FIVES : PAIRS;
  const ladders = new Map(
    [...document.querySelectorAll("[data-ladder]")].map((fieldset) => [fieldset.dataset.ladder, new Ladder(fieldset, layout)]),
  );
  if (bar && ladders.size) new ReadBack(bar, ladders);
}
