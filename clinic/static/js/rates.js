// A rate typed as the pump shows it, in all three units of the rate sheet.
//
// Exactly as the server works it out (clinic/sessions/pages_rate.py; both keep to tests/shared/rate_cases.json): a number
// is a whole number over a power of ten, in BigInt, and is rounded once, for the screen. No float comes near a dose.

const TYPED = /^\d{1,6}(?:[.,]\d{1,2})?$/;
const NO_BREAK_SPACE = "\u00a0";

/** The whole number and the power of ten of a decimal: "0.35" is 35 over 100. */
function fraction(text) {
  const [whole, part = ""] = text.replace(",", ".").split(".");
  return [BigInt(whole + part), 10n ** BigInt(part.length)];
}

/** A fraction with so many decimals, halves up, as the screens show it: 1,250 or 0.184. */
function shown([above, below], places, unit) {
  const scale = 10n ** BigInt(places);
  const rounded = (2n * above * scale + below) / (2n * below);
  const whole = String(rounded / scale).replace(/\B(?=(?:\d{3})+$)/g, ",");
  const part = String(rounded % scale).padStart(places, "0").replace(/0+$/, "");
  return `${part ? `${whole}.${part}` : whole}${NO_BREAK_SPACE}${unit}`;
}

const isMore = ([a, b], [c, d]) => a * d > c * b;

/**
 * Read a typed rate in mL/h: {mg, ml, kg} in words, mg without a concentration and kg without a weight empty.
 *
 * Returns null for what the server would refuse. `least` and `most` are the bounds of the field, `concentration` is in mg
 * per mL, `weight` in kg; all are decimals as text.
 */
export function together(typed, { least, most, concentration, weight }) {
  const text = typed.trim();
  if (!TYPED.test(text)) return null;
  const rate = fraction(text);
  if (isMore(fraction(least), rate) || isMore(rate, fraction(most))) return null;
  const said = { mg: "", ml: shown(rate, 2, "mL/h"), kg: "" };
  if (!concentration) return said;
  const [strength, by] = fraction(concentration);
  const dose = [rate[0] * strength, rate[1] * by];
  said.mg = shown(dose, 2, "mg/h");
  if (weight) {
    const [kg, over] = fraction(weight);
    said.kg = shown([dose[0] * over, dose[1] * kg], 3, "mg/kg/h");
  }
  return said;
}
