/** The seams and shapes shared by the client's parts. */
import type { StopReason } from "./retry";

/** One stored message, as on every transport (docs/protocol.md section 1). */
export interface ChatMessage {
  messageId: string;
  roomId: string;
  seq: number;
  senderId: string;
  senderNickname: string;
  content: string;
  type: string;
  createdAt: string;
  /** SYSTEM records about the room say what happened (`INVITED`, `KICKED`, …) and to whom. */
  event?: string;
  memberId?: string;
}

/** What `/user/queue/errors` carries. */
export interface ServerError {
  code: string;
  message: string;
  receiptId?: string;
  roomId?: string;
  firstSeq?: number;
  headSeq?: number;
  afterSeq?: number;
  epoch?: string | number;
}

/** The part of a browser's WebSocket that is used; tests bring their own. */
export interface Socket {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export interface Clock {
  now(): number;
  after(ms: number, run: () => void): Timer;
}
export interface Timer {
  cancel(): void;
}

export type ConnectionState =
  | { kind: "idle" }
  | { kind: "connecting"; attempt: number }
  | { kind: "online" }
  | { kind: "waiting"; retry_at: number; attempt: number }
  | { kind: "stopped"; reason: StopReason };

/**
 * Thrown by `ClientOptions.url` when no address can be had: with `stop` the client gives up until told
 * otherwise, with `retry_after_ms` it waits that long. Any other error means back-off.
 */
export class ConnectRefused extends Error {
  constructor(
    message: string,
    readonly advice: { stop?: StopReason; retry_after_ms?: number },
  ) {
    super(message);
  }
}

export const system_clock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const id = setTimeout(run, ms);
    return { cancel: () => clearTimeout(id) };
  },
};

/** UUIDv7 (RFC 9562): rises with time, made here so that a retry is recognised as one. */
export function new_message_id(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = now;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
