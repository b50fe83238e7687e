import assert from "node:assert/strict";
import { test } from "node:test";
import { blocks, hue, initials, is_emoji_only, split_links } from "./format";

test("initials come from words, syllables and emoji alike", () => {
  assert.deepEqual(["Alice Liddell", "bob", "앨리스", "김 서방", "🐉 dragon", "  "].map(initials), [
    "AL",
    "B",
    "앨",
    "김",
    "🐉",
    "?",
  ]);
});

test("a hue is stable and within the circle", () => {
  assert.equal(hue("u-7"), hue("u-7"));
  for (const id of ["", "u-1", "앨리스"]) assert.ok(hue(id) >= 0 && hue(id) < 360);
});

test("links are found without the full stop after them, and nothing is lost", () => {
  const line = "보세요 https://example.org/a?b=1). 그리고 http://x.y, 끝";
  const parts = split_links(line);
  assert.deepEqual(
    parts.filter((p) => p.kind === "link").map((p) => p.text),
    ["https://example.org/a?b=1", "http://x.y"],
  );
  assert.equal(parts.map((p) => p.text).join(""), line);
});

test("other schemes are text", () => {
  assert.deepEqual(
    split_links("javascript:alert(1) data:text/html,x").map((p) => p.kind),
    ["text"],
  );
});

test("a few emoji alone are large, words are not", () => {
  assert.deepEqual(["🎲", "👍🏽 🎉", "👨‍👩‍👧", "hi 🎲", "7", ""].map(is_emoji_only), [true, true, true, false, false, false]);
});

test("quoted lines stand apart from the answer", () => {
  assert.deepEqual(blocks("> 용이 온다\n> 뛰어!\n싫어"), [
    { quote: true, text: "용이 온다\n뛰어!" },
    { quote: false, text: "싫어" },
  ]);
});
