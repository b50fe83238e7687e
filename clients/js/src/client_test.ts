import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench } from "./fakes";
import { ConnectRefused, new_message_id } from "./types";

const kRoom = "/sub/chat/room/r-1";

test("the errors queue is subscribed before anything can be refused", async () => {
  const t = new Bench();
  t.open();
  t.client.send("r-1", "early");
  await t.online();
  assert.deepEqual(
    t.socket.frames.slice(0, 3).map((f) => f.headers["destination"] ?? f.command),
    ["CONNECT", "/user/queue/errors", kRoom],
  );
});

test("a send is sending until its receipt, then sent", async () => {
  const t = new Bench();
  await t.online();
  t.client.send("r-1", "hi");
  assert.deepEqual(t.outgoing, ["hi sending"]);
  t.socket.acknowledge_sends();
  assert.deepEqual(t.outgoing, ["hi sending", "hi sent"]);
  assert.deepEqual(t.client.unsent(), []);
});

test("unacknowledged sends go again after a reconnect, in order, with their ids", async () => {
  const t = new Bench();
  await t.online();
  for (const text of ["one", "two", "three"]) t.client.send("r-1", text);
  t.socket.receipt(t.socket.sent("SEND")[0]?.headers["receipt"]);
  const first = t.socket.talks();
  t.socket.die();
  await t.come_back();
  assert.deepEqual(t.socket.talks(), first.slice(1));
});

test("what is sent while offline goes out once online", async () => {
  const t = new Bench();
  await t.online();
  t.socket.die();
  t.client.send("r-1", "later");
  await t.come_back();
  assert.deepEqual(t.socket.contents(), ["later"]);
});

test("a refusal fails its message only, and retry keeps the id", async () => {
  const t = new Bench();
  await t.online();
  const out = t.client.send("r-1", "a");
  t.client.send("r-1", "b");
  t.socket.refuse({ code: "CHAT_STORE_UNAVAILABLE", receiptId: t.socket.sent("SEND")[0]?.headers["receipt"] ?? "" });
  assert.deepEqual(t.outgoing.slice(2), ["a failed"]);
  t.client.retry(out.message_id);
  assert.deepEqual(t.socket.contents(), ["a", "b", "a"]);
  assert.equal(t.socket.talks()[2]?.messageId, out.message_id);
});

test("a failed message does not go out by itself after a reconnect", async () => {
  const t = new Bench();
  await t.online();
  t.client.send("r-1", "a");
  t.socket.refuse({ code: "CHAT_FORBIDDEN", receiptId: t.socket.sent("SEND")[0]?.headers["receipt"] ?? "" });
  t.socket.die();
  await t.come_back();
  assert.deepEqual(t.socket.contents(), []);
});

test("a message seen in the feed is not sent again when its receipt was lost", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  const out = t.client.send("r-1", "mine");
  t.socket.talk("r-1", 1, out.message_id);
  assert.equal(out.state, "sending");
  t.socket.die();
  assert.equal(out.state, "sent");
  await t.come_back();
  assert.deepEqual(t.socket.contents(), []);
});

test("a receipt that never comes costs the connection, not the message", async () => {
  const t = new Bench();
  await t.online();
  t.client.send("r-1", "mute");
  t.clock.advance(20_000);
  assert.equal(t.socket.closed, true);
  await t.come_back();
  assert.deepEqual(t.socket.contents(), ["mute"]);
});

test("1009 fails the longest message in flight instead of sending it for ever", async () => {
  const t = new Bench();
  await t.online();
  t.client.send("r-1", "short");
  t.client.send("r-1", "far too long");
  t.socket.die(1009);
  assert.deepEqual(t.outgoing.slice(2), ["far too long failed"]);
});

test("a feed begins with the newest messages and resumes after the last one with its epoch", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  assert.equal(t.socket.subscription(kRoom)["last"], "50");
  t.socket.receipt(t.socket.subscription(kRoom)["receipt"], { epoch: "7", seq: "11" });
  t.socket.talk("r-1", 10);
  t.socket.talk("r-1", 11);
  t.socket.die();
  await t.come_back();
  const resumed = t.socket.subscription(kRoom);
  assert.deepEqual([resumed["after-seq"], resumed["epoch"], resumed["last"]], ["11", "7", undefined]);
});

test("an empty room is a position too", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  t.socket.receipt(t.socket.subscription(kRoom)["receipt"], { epoch: "7", seq: "0" });
  t.socket.die();
  await t.come_back();
  assert.equal(t.socket.subscription(kRoom)["after-seq"], "0");
});

test("repeated messages are dropped", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  for (const seq of [1, 2, 2, 1, 3]) t.socket.talk("r-1", seq);
  assert.deepEqual(t.seen, [1, 2, 3]);
});

test("a gap is asked for again, not stepped over", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  for (const seq of [1, 2, 5]) t.socket.talk("r-1", seq);
  assert.equal(t.socket.subscription(kRoom)["after-seq"], "2");
  for (const seq of [3, 4, 5]) t.socket.talk("r-1", seq);
  assert.deepEqual(t.seen, [1, 2, 3, 4, 5]);
});

test("a gap that stays is shown", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  for (const seq of [1, 5, 5, 6]) t.socket.talk("r-1", seq);
  assert.deepEqual([t.seen, t.notes], [[1, 5, 6], ["truncated 5"]]);
});

test("HISTORY_TRUNCATED moves the position and is shown", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  t.socket.talk("r-1", 1);
  t.socket.refuse({ code: "HISTORY_TRUNCATED", roomId: "r-1", firstSeq: 9 });
  t.socket.talk("r-1", 9);
  assert.deepEqual([t.seen, t.notes], [[1, 9], ["truncated 9"]]);
});

test("POSITION_INVALID starts over with the newest messages", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  t.socket.talk("r-1", 40);
  t.socket.die();
  await t.come_back();
  const asked = t.socket.subscription(kRoom);
  t.socket.refuse({ code: "POSITION_INVALID", receiptId: asked["receipt"] ?? "", epoch: "8", firstSeq: 1, headSeq: 2 });
  assert.equal(t.socket.subscription(kRoom)["last"], "50");
  t.socket.talk("r-1", 1);
  assert.deepEqual([t.seen, t.notes], [[40, 1], ["reset"]]);
});

test("RESYNC changes nothing: what is replayed is dropped", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  for (const seq of [1, 2]) t.socket.talk("r-1", seq);
  t.socket.refuse({ code: "RESYNC", roomId: "r-1", afterSeq: 1 });
  for (const seq of [2, 3]) t.socket.talk("r-1", seq);
  assert.deepEqual([t.seen, t.notes], [[1, 2, 3], []]);
});

test("a subscription refused for good ends its feed, for now is asked again", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  t.socket.refuse({ code: "CHAT_STORE_UNAVAILABLE", receiptId: t.socket.subscription(kRoom)["receipt"] ?? "" });
  t.clock.advance(2_000);
  assert.equal(t.socket.sent("SUBSCRIBE", kRoom).length, 2);
  t.socket.refuse({ code: "CHAT_FORBIDDEN", receiptId: t.socket.subscription(kRoom)["receipt"] ?? "" });
  assert.deepEqual(t.notes, ["ended CHAT_FORBIDDEN"]);
});

test("a long replay is not taken for silence, a stuck one is", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  t.socket.talk("r-1", 1);
  t.clock.advance(20_000);
  assert.equal(t.state.kind, "online");
  t.clock.advance(20_000);
  assert.equal(t.state.kind, "waiting");
});

test("the right to read ended while subscribed: the feed ends", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  t.socket.refuse({ code: "CHAT_FORBIDDEN", roomId: "r-1" });
  assert.deepEqual(t.notes, ["ended CHAT_FORBIDDEN"]);
  t.socket.die();
  await t.come_back();
  assert.equal(t.socket.sent("SUBSCRIBE", kRoom).length, 0);
});

test("presence is announced once and again on every new connection until left", async () => {
  const t = new Bench();
  t.client.join("r-1");
  await t.online();
  t.client.join("r-1");
  assert.deepEqual(
    t.socket.talks().map((b) => b.type),
    ["JOIN"],
  );
  t.socket.die();
  await t.come_back();
  t.client.leave("r-1");
  assert.deepEqual(
    t.socket.talks().map((b) => b.type),
    ["JOIN", "LEAVE"],
  );
});

test("an ERROR is known by the code in its body, and by its message where there is none", async () => {
  const t = new Bench();
  await t.online();
  t.socket.deliver("ERROR", { message: "AUTH_EXPIRED: it ended" }, '{"code":"AUTH_EXPIRED","message":"it ended"}');
  t.socket.deliver("ERROR", { message: "malformed frame" }, "plain words");
  assert.deepEqual(t.notes, ["AUTH_EXPIRED", "ERROR"]);
});

test("44xx waits for somebody to decide", async () => {
  const t = new Bench();
  await t.online();
  t.socket.die(4408);
  t.clock.advance(3_600_000);
  await t.turn();
  assert.deepEqual([t.state.kind, t.sockets.length], ["stopped", 1]);
  t.client.retry_now();
  await t.turn();
  assert.equal(t.sockets.length, 2);
});

test("4401 comes back once with a renewed token, then gives up", async () => {
  const t = new Bench();
  await t.online();
  t.socket.die(4401);
  await t.turn();
  assert.deepEqual(
    t.attempts.map((a) => a.renew),
    [false, true],
  );
  t.socket.accept();
  t.socket.die(4401);
  assert.deepEqual(t.state, { kind: "stopped", reason: "login" });
});

test("a drain's delay is kept to the millisecond", async () => {
  const t = new Bench();
  await t.online();
  t.socket.die(1001, "2500");
  t.clock.advance(2_499);
  await t.turn();
  assert.equal(t.sockets.length, 1);
  t.clock.advance(1);
  await t.turn();
  assert.equal(t.sockets.length, 2);
});

test("back-off grows while connections do not last, and starts over when one does", async () => {
  const t = new Bench();
  const delay = () => (t.state.kind === "waiting" ? t.state.retry_at - t.clock.now() : -1);
  await t.online();
  t.socket.die();
  assert.equal(delay(), 500);
  t.client.retry_now();
  await t.turn();
  t.socket.accept();
  t.socket.die();
  assert.equal(delay(), 1000);
  await t.come_back();
  t.clock.advance(5_000);
  t.socket.die();
  assert.equal(delay(), 500);
});

test("no address: stop, wait as told, or back off", async () => {
  const t = new Bench();
  t.url = () => Promise.reject(new ConnectRefused("busy", { retry_after_ms: 7_000 }));
  t.client.start();
  await t.turn();
  assert.deepEqual(t.state, { kind: "waiting", retry_at: t.clock.now() + 7_000, attempt: 1 });
  t.url = () => Promise.reject(new ConnectRefused("who?", { stop: "login" }));
  t.clock.advance(7_000);
  await t.turn();
  assert.deepEqual(t.state, { kind: "stopped", reason: "login" });
});

test("heart-beats go out as agreed, and silence ends the connection", async () => {
  const t = new Bench();
  t.client.start();
  await t.turn();
  t.socket.accept("30000,20000");
  t.clock.advance(45_000);
  assert.equal(t.socket.beats, 2);
  t.clock.advance(15_000);
  assert.equal(t.state.kind, "waiting");
});

test("a server that never says CONNECTED is given up", async () => {
  const t = new Bench();
  t.client.start();
  await t.turn();
  t.socket.onopen?.({});
  t.clock.advance(15_000);
  assert.equal(t.state.kind, "waiting");
});

test("after stop() nothing of the old connection is heard", async () => {
  const t = new Bench();
  t.open();
  await t.online();
  t.client.stop();
  t.socket.talk("r-1", 1);
  t.clock.advance(60_000);
  await t.turn();
  assert.deepEqual([t.seen, t.state.kind, t.sockets.length], [[], "idle", 1]);
});

test("message ids are UUIDv7 and rise with time", () => {
  const ids = [1, 2, 1_700_000_000_000].map((now) => new_message_id(now));
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
});
