// From the place of a slider, 0 to 1, to the value of a parameter and back; and values as words.

/** The value at a place. */
export function valueAt(place, { span: [low, high], curve }) {
  if (curve === "log" && low > 0) return low * (high / low) ** place;
  if (curve === "log") return low + (high - low) * place ** 3;
  const value = low + (high - low) * place;
  return curve === "integer" || curve === "switch" ? Math.round(value) : value;
}

/** The place of a value. */
export function placeOf(value, { span: [low, high], curve }) {
  const held = Math.min(Math.max(value, low), high);
  if (high === low) return 0;
  if (curve === "log" && low > 0) return Math.log(held / low) / Math.log(high / low);
  const share = (held - low) / (high - low);
  return curve === "log" ? Math.cbrt(share) : share;
}

/** A value with as many digits as say something. */
export function shown(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return `${value}`;
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return size >= 1e6 ? value.toExponential(2) : value.toFixed(digits);
}

/** A level as decibels. */
export function decibels(peak) {
  return peak > 1e-5 ? `${(20 * Math.log10(peak)).toFixed(1)}` : "−∞";
}

/** A message of an outlet as words. */
export function words(message) {
  if (typeof message === "number") return shown(message);
  if (Array.isArray(message)) return message.map(words).join(" ");
  if (message === null || typeof message !== "object") return `${message}`;
  if ("bang" in message) return "bang";
  if ("tag" in message) return message.tag[0];
  if ("note" in message) return `note ${shown(message.note[0])}, ${Math.round(100 * message.note[1])} %`;
  return Object.values(message).map(words).join(" ");
}
