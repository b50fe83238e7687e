import assert from "node:assert/strict";
import { test } from "node:test";
import { encode_frame, FrameError, FrameReader } from "./frame";

const read = (text: string) => new FrameReader().push(text);

test("a frame comes back as it was written, with Korean, emoji, colons and line ends", () => {
  const headers = { "a:b": "c\\d\r\ne", destination: "/pub/chat/send" };
  const [frame] = read(encode_frame("SEND", headers, "안녕 🎲\0 둘"));
  assert.equal(frame?.body, "안녕 🎲\0 둘");
  assert.equal(frame?.headers["a:b"], "c\\d\r\ne");
});

test("frames cut at every place are put together", () => {
  const text =
    encode_frame("MESSAGE", { seq: "1" }, "가🎲나") + "\n\r\n" + encode_frame("RECEIPT", { "receipt-id": "r1" });
  for (let cut = 0; cut <= text.length; cut++) {
    const reader = new FrameReader();
    const frames = [...reader.push(text.slice(0, cut)), ...reader.push(text.slice(cut))];
    assert.deepEqual(
      frames.map((f) => f.command + f.body),
      ["MESSAGE가🎲나", "RECEIPT"],
    );
  }
});

test("a body without content-length ends at its NUL", () => {
  assert.equal(read("MESSAGE\nseq:1\n\nhello\0\n")[0]?.body, "hello");
});

test("CONNECTED is read raw and the first of repeated headers wins", () => {
  const headers = read("CONNECTED\r\nserver:a\\cb\r\nversion:1.2\r\nversion:1.0\r\n\r\n\0")[0]?.headers;
  assert.equal(headers?.["server"], "a\\cb");
  assert.equal(headers?.["version"], "1.2");
});

test("heart-beats are no frames", () => {
  assert.deepEqual(read("\n\r\n\n"), []);
});

for (const [what, text] of [
  ["an undefined escape", "MESSAGE\na:\\t\n\n\0"],
  ["a header without colon", "MESSAGE\nab\n\n\0"],
  ["a wrong content-length", "MESSAGE\ncontent-length:2\n\nabc\0"],
  ["a content-length inside a character", "MESSAGE\ncontent-length:2\n\n가\0"],
  ["a content-length that is no number", "MESSAGE\ncontent-length:x\n\nabc\0"],
] as const) {
  test(`${what} is a FrameError`, () => assert.throws(() => read(text), FrameError));
}
