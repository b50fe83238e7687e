/** For tests: time that moves when told, and a server's end of a socket. */
import { ParleyClient } from "./client";
import { encode_frame, Frame, FrameReader } from "./frame";
import type { Outgoing } from "./outbox";
import type { ChatMessage, Clock, ConnectionState, ServerError, Socket, Timer } from "./types";

export class ManualClock implements Clock {
  private time = 1_000_000;
  private timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): Timer {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return { cancel: () => void (this.timers = this.timers.filter((t) => t !== timer)) };
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((t) => t !== next);
      this.time = next.at;
      next.run();
    }
    this.time = end;
  }
}

export class FakeSocket implements Socket {
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly frames: Frame[] = [];
  beats = 0;
  closed = false;
  private readonly reader = new FrameReader();

  constructor(readonly url: string) {}

  send(text: string): void {
    if (text === "\n") this.beats++;
    this.frames.push(...this.reader.push(text));
  }

  close(): void {
    this.closed = true;
  }

  deliver(command: string, headers: Record<string, string>, body = ""): void {
    this.onmessage?.({ data: encode_frame(command, headers, body) });
  }

  die(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason });
  }

  accept(heartbeat = "0,0"): void {
    this.onopen?.({});
    this.deliver("CONNECTED", { version: "1.2", "heart-beat": heartbeat, server: "parley" });
  }

  sent(command: string, destination?: string): Frame[] {
    return this.frames.filter(
      (f) => f.command === command && (!destination || f.headers["destination"] === destination),
    );
  }

  /** The newest subscription to `destination`. */
  subscription(destination: string): Record<string, string> {
    return this.sent("SUBSCRIBE", destination).pop()?.headers ?? {};
  }

  talk(room_id: string, seq: number, message_id = `m${seq}`): void {
    const subscription = this.subscription(`/sub/chat/room/${room_id}`)["id"] ?? "";
    this.deliver("MESSAGE", { subscription, seq: String(seq) }, JSON.stringify(message(room_id, seq, message_id)));
  }

  refuse(error: Partial<ServerError>): void {
    const subscription = this.subscription("/user/queue/errors")["id"] ?? "";
    this.deliver("MESSAGE", { subscription }, JSON.stringify({ message: "", ...error }));
  }

  receipt(id: string | undefined, headers: Record<string, string> = {}): void {
    this.deliver("RECEIPT", { "receipt-id": id ?? "", ...headers });
  }

  /** Receipts for every SEND so far that asked for one. */
  acknowledge_sends(): void {
    for (const frame of this.sent("SEND")) if (frame.headers["receipt"]) this.receipt(frame.headers["receipt"]);
  }

  contents(): string[] {
    return this.talks().map((body) => body.content);
  }

  talks(): { content: string; messageId: string; type: string }[] {
    return this.sent("SEND", "/pub/chat/send").map(
      (f) => JSON.parse(f.body) as { content: string; messageId: string; type: string },
    );
  }
}

export function message(room_id: string, seq: number, message_id = `m${seq}`): ChatMessage {
  return {
    messageId: message_id,
    roomId: room_id,
    seq,
    senderId: "u-1",
    senderNickname: "앨리스",
    content: `line ${seq}`,
    type: "TALK",
    createdAt: "2026-11-20T12:34:56.789Z",
  };
}

/** A client on fake time and fake sockets, with what it said so far. */
export class Bench {
  readonly clock = new ManualClock();
  readonly sockets: FakeSocket[] = [];
  readonly states: ConnectionState[] = [];
  readonly outgoing: string[] = [];
  readonly attempts: { renew: boolean; failures: number }[] = [];
  readonly seen: number[] = [];
  readonly notes: string[] = [];
  url: () => Promise<string> = () => Promise.resolve("ws://test/ws-chat");
  readonly client: ParleyClient;

  constructor() {
    this.client = new ParleyClient({
      url: (attempt) => {
        this.attempts.push(attempt);
        return this.url();
      },
      open_socket: (url) => {
        const socket = new FakeSocket(url);
        this.sockets.push(socket);
        return socket;
      },
      on_state: (state) => this.states.push(state),
      on_outgoing: (out: Outgoing) => this.outgoing.push(`${out.content} ${out.state}`),
      on_error: (error) => this.notes.push(error.code),
      clock: this.clock,
      random: () => 1,
    });
  }

  get socket(): FakeSocket {
    const newest = this.sockets[this.sockets.length - 1];
    if (!newest) throw new Error("no socket was opened");
    return newest;
  }

  get state(): ConnectionState {
    return this.client.connection_state;
  }

  /** Lets promises of the url provider settle. */
  async turn(): Promise<void> {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  async online(): Promise<void> {
    this.client.start();
    await this.turn();
    this.socket.accept();
  }

  async come_back(): Promise<void> {
    this.clock.advance(60_000);
    await this.turn();
    this.socket.accept();
  }

  open(room_id = "r-1"): void {
    this.client.open_room(
      room_id,
      { last: 50 },
      {
        on_message: (m) => this.seen.push(m.seq),
        on_reset: () => this.notes.push("reset"),
        on_truncated: (first) => this.notes.push(`truncated ${first}`),
        on_ended: (error) => this.notes.push(`ended ${error.code}`),
      },
    );
  }
}
