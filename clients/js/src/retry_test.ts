import assert from "node:assert/strict";
import { test } from "node:test";
import { back_off, judge_close } from "./retry";

const judge = (code: number, reason = "", attempt = 0) => judge_close(code, reason, attempt, () => 1);

test("back-off doubles up to half a minute, at least half of it certain", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 20].map((n) => back_off(n, () => 1)),
    [500, 1000, 2000, 4000, 30_000],
  );
  assert.equal(
    back_off(3, () => 0),
    2000,
  );
});

test("44xx stops and says why", () => {
  const reasons = [4403, 4408, 4409, 4429, 4477].map((code) => judge(code));
  assert.deepEqual(
    reasons.map((v) => v.kind === "stop" && v.reason),
    ["forbidden", "slow", "replaced", "rate", "refused"],
  );
});

test("4401 asks for a new token", () => assert.equal(judge(4401).kind, "reauthorise"));

test("a drain or overload tells its own delay", () => {
  assert.deepEqual(judge(1001, "2500"), { kind: "retry", delay_ms: 2500 });
  assert.deepEqual(judge(4503, "100"), { kind: "retry", delay_ms: 100 });
});

test("without a delay in the reason, back-off decides", () => {
  for (const [code, reason] of [
    [1001, ""],
    [1001, "soon"],
    [4503, ""],
    [1006, "77"],
    [1011, ""],
    [1000, ""],
  ] as const) {
    assert.deepEqual(judge(code, reason, 2), { kind: "retry", delay_ms: 2000 });
  }
});
