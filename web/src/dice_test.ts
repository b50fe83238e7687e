import assert from "node:assert/strict";
import { test } from "node:test";
import { parse_dice, read_roll, roll } from "./dice";

const fours = () => 4;

test("a roll shows each die and the sum", () => {
  assert.equal(roll("2d6+1", fours), "🎲 2d6+1 = 9 (4+4+1)");
  assert.equal(roll(" D20 - 2 ", fours), "🎲 d20-2 = 2 (4-2)");
  assert.equal(roll("1d8-2d4", fours), "🎲 1d8-2d4 = -4 (4-4-4)");
});

test("what is no roll is refused", () => {
  for (const text of ["", "7", "2d", "d1", "0d6", "2x6", "101d6", "1d1001", "1d6+99999", "2d6++1", "alert(1)"]) {
    assert.equal(parse_dice(text), undefined);
  }
});

test("faces stay within the die and all of them come up", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 400; i++) seen.add(Number(read_roll(roll("d6") ?? "")?.total));
  assert.deepEqual([...seen].sort(), [1, 2, 3, 4, 5, 6]);
});

test("a roll is recognised when it comes back, other text is not", () => {
  assert.deepEqual(read_roll("🎲 2d6+1 = 9 (4+4+1)"), { dice: "2d6+1", total: "9", detail: "(4+4+1)" });
  assert.equal(read_roll("🎲 2d6+1 = 9 (4+4+1) ha"), undefined);
});
