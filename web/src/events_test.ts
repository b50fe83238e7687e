import assert from "node:assert/strict";
import { test } from "node:test";
import { read_event } from "./events";

test("events of a room are read, with or without a nickname", () => {
  const typing = { event: "typing", roomId: "r-1", memberId: "u-2", nickname: "밥" };
  assert.deepEqual(read_event(typing), { kind: "typing", member_id: "u-2", name: "밥" });
  const gone = { event: "presence", roomId: "r-1", memberId: "u-2", present: false, count: 1 };
  assert.deepEqual(read_event(gone), { kind: "presence", member_id: "u-2", name: undefined, present: false });
  assert.deepEqual(read_event({ event: "read", memberId: "u-2", seq: 7 }), { kind: "read", member_id: "u-2", seq: 7 });
});

test("what is not understood is left alone", () => {
  for (const body of [undefined, null, 7, "x", {}, { event: "typing" }, { event: "count", memberId: "u-2" }]) {
    assert.deepEqual(read_event(body), { kind: "other" });
  }
});
