/** `/roll 2d6+1`: dice, numbers, plus and minus. */

interface Term {
  sign: 1 | -1;
  count: number;
  /** 1 for a plain number, which is then `count`. */
  sides: number;
}

const kMostDice = 100;
const kMostSides = 1000;
const kMostNumber = 10_000;

export type RollFace = (sides: number) => number;

/** Undefined when the text is no roll we make. */
export function parse_dice(text: string): Term[] | undefined {
  const compact = text.toLowerCase().replace(/\s+/g, "");
  if (!/^[+-]?(\d+|\d*d\d+)([+-](\d+|\d*d\d+)){0,9}$/.test(compact)) return undefined;
  const terms: Term[] = [];
  for (const part of compact.match(/[+-]?[^+-]+/g) ?? []) {
    const sign = part.startsWith("-") ? -1 : 1;
    const [count = "", sides] = part.replace(/^[+-]/, "").split("d");
    const term: Term = {
      sign,
      count: count === "" ? 1 : Number(count),
      sides: sides === undefined ? 1 : Number(sides),
    };
    const limit = sides === undefined ? kMostNumber : kMostDice;
    if (term.count > limit || (sides !== undefined && (term.count < 1 || term.sides < 2 || term.sides > kMostSides)))
      return undefined;
    terms.push(term);
  }
  return terms.some((term) => term.sides > 1) ? terms : undefined;
}

/** `🎲 2d6+1 = 9 (4+4+1)`, or undefined when `text` is no roll. */
export function roll(text: string, face: RollFace = random_face): string | undefined {
  const terms = parse_dice(text);
  if (!terms) return undefined;
  let total = 0;
  let detail = "";
  for (const { sign, count, sides } of terms) {
    const values = sides === 1 ? [count] : Array.from({ length: count }, () => face(sides));
    for (const value of values) {
      total += sign * value;
      detail += (sign < 0 ? "-" : detail === "" ? "" : "+") + String(value);
    }
  }
  return `🎲 ${text.toLowerCase().replace(/\s+/g, "")} = ${total} (${detail})`;
}

/** Fair: throws away what would favour the low faces. */
function random_face(sides: number): number {
  const limit = 2 ** 32 - (2 ** 32 % sides);
  for (;;) {
    const value = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    if (value < limit) return (value % sides) + 1;
  }
}

export interface ShownRoll {
  dice: string;
  total: string;
  detail: string;
}

export function read_roll(content: string): ShownRoll | undefined {
  const found = /^🎲 ([0-9d+-]{1,80}) = (-?\d{1,9}) (\([0-9+-]{1,600}\))$/u.exec(content);
  return found ? { dice: found[1] ?? "", total: found[2] ?? "", detail: found[3] ?? "" } : undefined;
}
