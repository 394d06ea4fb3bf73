// Vitals in one line: "1415 128/76 84 - 98 s1 p4 t36.8 o2 n nausea settling".
//
// The server reads the same line again; both keep to tests/shared/one_line_cases.json. This side only echoes what it
// understood. A line that is not wholly understood is not guessed at: the first part that is not clear is underlined.

const POSITIONS = ["bp", "hr", "rr", "spo2"];
const LETTERS = {
  s: ["sedation", /^-?\d$/, Number],
  p: ["pain", /^\d{1,2}$/, Number],
  t: ["temp", /^\d{2}(?:\.\d)?$/, String],
  o: ["o2_l_min", /^\d{1,2}(?:\.\d)?$/, String],
};
const TIME = /^(?:[01]\d|2[0-3]):?[0-5]\d$/;
const PRESSURE = /^(\d{2,3})\/(\d{2,3})$/;

/**
 * Read a line of vitals.
 *
 * Returns {values} with the keys at (HH:MM), sbp, dbp, hr, rr, spo2, sedation, pain, temp, o2_l_min, note, each only when
 * it was given; or {notUnderstood}, the first part that is not clear, as it was typed. Decimals stay text.
 */
export function parse(line) {
  const values = {};
  const words = [...line.matchAll(/[^ \t]+/g)].map((match) => ({ text: match[0], index: match.index }));
  let position = 0;
  let lettersBegan = false;
  for (const [order, { text, index }] of words.entries()) {
    if (order === 0 && /^\d{4}$|^\d{2}:\d{2}$/.test(text)) {
      if (!TIME.test(text)) return { notUnderstood: text };
      values.at = text.includes(":") ? text : `${text.slice(0, 2)}:${text.slice(2)}`;
      continue;
    }
    const letter = text[0].toLowerCase();
    if (letter === "n" && text.length === 1) {
      const note = line.slice(index + 1).trim();
      if (!note) return { notUnderstood: text };
      values.note = note;
      return { values };
    }
    if (letter in LETTERS) {
      const [key, shape, convert] = LETTERS[letter];
      const rest = text.slice(1);
      if (!shape.test(rest) || key in values) return { notUnderstood: text };
      values[key] = convert(rest);
      lettersBegan = true;
      continue;
    }
    if (lettersBegan || position >= POSITIONS.length) return { notUnderstood: text };
    const key = POSITIONS[position];
    position += 1;
    if (text === "-") continue;
    if (key === "bp") {
      const found = PRESSURE.exec(text);
      if (!found) return { notUnderstood: text };
      values.sbp = Number(found[1]);
      values.dbp = Number(found[2]);
    } else {
      if (!/^\d{1,3}$/.test(text)) return { notUnderstood: text };
      values[key] = Number(text);
    }
  }
  return { values };
}

const ECHO = [
  ["at", "at"], ["bp", "BP"], ["hr", "HR"], ["rr", "RR"], ["spo2", "SpO2"], ["sedation", "sedation"], ["pain", "pain"],
  ["temp", "temperature"], ["o2_l_min", "oxygen"], ["note", "note"],
];

function echo(field, place) {
  const read = parse(field.value);
  place.replaceChildren();
  if (read.notUnderstood !== undefined) {
    const part = document.createElement("u");
    part.textContent = read.notUnderstood;
    place.append("not understood: ", part);
  } else if (!document.querySelector("[data-readback]")) {
    const shown = { ...read.values, bp: read.values.sbp === undefined ? undefined : `${read.values.sbp}/${read.values.dbp}` };
    for (const [key, word] of ECHO) {
      if (shown[key] === undefined) continue;
      const bit = document.createElement("span");
      bit.className = "bit";
      const value = document.createElement("b");
      value.textContent = String(shown[key]);
      bit.append(`${word} `, value);
      place.append(bit);
    }
  }
  field.dispatchEvent(new CustomEvent("chairtime:line", { bubbles: true, detail: read.values ?? {} }));
}

function read(field) {
  const described = field.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id));
  const place = described.find((each) => each?.matches("[data-parse]"));
  if (place) echo(field, place);
}

if (typeof document !== "undefined") {
  // A line that came back from the server is echoed at once.
  for (const field of document.querySelectorAll("[data-one-line]")) if (field.value.trim()) read(field);
  // Listening on the document, so that a field that came with a refreshed fragment works too.
  document.addEventListener("input", (event) => event.target.matches?.("[data-one-line]") && read(event.target));
  // Enter saves, but never a line that is not wholly understood.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("[data-one-line]")) return;
    if (parse(event.target.value).notUnderstood !== undefined) event.preventDefault();
  });
}
