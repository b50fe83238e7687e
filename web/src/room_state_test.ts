import assert from "node:assert/strict";
import { test } from "node:test";
import { message } from "../../clients/js/src/fakes";
import type { Outgoing } from "../../clients/js/src/index";
import { RoomState } from "./room_state";

const room = (headSeq = 0): RoomState =>
  new RoomState(
    { roomId: "r-1", name: "r", kind: "chat", visibility: "public", ownerId: "", createdAt: "", headSeq, member: true },
    "u-1",
  );
const theirs = (seq: number) => ({ ...message("r-1", seq), senderId: "u-2" });
const seqs = (state: RoomState) => state.messages.map((m) => m.seq);

test("a line that is there already is not taken twice", () => {
  const state = room();
  assert.deepEqual(
    [1, 2, 2, 1, 3].map((seq) => state.add(theirs(seq))),
    [true, true, false, false, true],
  );
  assert.deepEqual(seqs(state), [1, 2, 3]);
});

test("older pages go in front, overlap dropped, and the first line ends the search", () => {
  const state = room();
  state.add(theirs(5));
  state.add_older([theirs(3), theirs(4), theirs(5)], 3);
  assert.deepEqual([seqs(state), state.complete], [[3, 4, 5], true]);
  const other = room();
  other.add(theirs(4));
  other.add_older([theirs(2), theirs(3)], 2);
  assert.equal(other.complete, false);
  other.add_older([theirs(1)], 2);
  assert.deepEqual([seqs(other), other.complete, other.truncated], [[1, 2, 3, 4], true, false]);
});

test("history that ends above the first line was truncated", () => {
  const state = room();
  state.add(theirs(9));
  state.add_older([], 50);
  assert.deepEqual([state.complete, state.truncated], [true, true]);
});

test("our message is pending until it comes back and unconfirmed until its receipt", () => {
  const state = room();
  const out: Outgoing = { message_id: "m1", room_id: "r-1", content: "x", state: "sending" };
  state.outgoing(out);
  state.outgoing(out);
  assert.equal(state.pending.length, 1);
  state.add(message("r-1", 1, "m1"));
  assert.deepEqual([state.pending.length, state.unconfirmed.has("m1")], [0, true]);
  out.state = "sent";
  state.outgoing(out);
  assert.deepEqual([state.pending.length, state.unconfirmed.size], [0, 0]);
});

test("a receipt before the message leaves it pending, shown as sent", () => {
  const state = room();
  const out: Outgoing = { message_id: "m1", room_id: "r-1", content: "x", state: "sending" };
  state.outgoing(out);
  out.state = "sent";
  state.outgoing(out);
  state.add(message("r-1", 1, "m1"));
  assert.deepEqual([state.pending.length, state.unconfirmed.size, state.messages.length], [0, 0, 1]);
});

test("somebody else's message with our id does not pass for ours", () => {
  const state = room();
  state.outgoing({ message_id: "m1", room_id: "r-1", content: "x", state: "sending" });
  state.add({ ...theirs(1), messageId: "m1" });
  assert.equal(state.pending.length, 1);
});

test("unread counts from the read mark, and our own lines are read", () => {
  const state = room(10);
  assert.equal(state.unread, 0);
  state.read_seq = 7;
  assert.equal(state.unread, 3);
  state.add(theirs(11));
  assert.equal(state.unread, 4);
  state.add(message("r-1", 12));
  assert.equal(state.unread, 0);
});

test("typing ends by time or by the message", () => {
  const state = room();
  state.is_typing("u-2", "밥", 0);
  state.is_typing("u-3", "Carol", 0);
  state.is_typing("u-1", "me", 0);
  assert.deepEqual(state.who_types(4_999), ["밥", "Carol"]);
  state.add(theirs(1));
  assert.deepEqual(state.who_types(4_999), ["Carol"]);
  assert.deepEqual(state.who_types(5_000), []);
});

test("after trim() only the newest lines are kept, and history can be asked for again", () => {
  const state = room();
  for (let seq = 1; seq <= 400; seq++) state.add(theirs(seq));
  assert.equal(state.complete, true);
  state.trim();
  assert.deepEqual([state.first_seq, state.messages.length, state.complete], [101, 300, false]);
});

test("a new life of the room forgets the old one", () => {
  const state = room(3);
  for (const seq of [1, 2, 3]) state.add(theirs(seq));
  state.read_seq = 3;
  state.reset();
  assert.equal(state.add(theirs(1)), true);
  assert.deepEqual([seqs(state), state.unread, state.life], [[1], 1, 1]);
});

test("an invitation to a private room gives no right to read, membership and a public room do", () => {
  const readable = (visibility: "public" | "private", member: boolean): boolean => {
    const state = room();
    state.info = { ...state.info, visibility, member };
    return state.readable;
  };
  assert.deepEqual(
    [readable("private", false), readable("private", true), readable("public", false)],
    [false, true, true],
  );
});

test("only a member, or who was let in, has a right to lose", () => {
  const state = room();
  assert.ok(state.had_right);
  state.info = { ...state.info, member: false };
  assert.ok(!state.had_right);
  state.live = true;
  assert.ok(state.had_right);
});
