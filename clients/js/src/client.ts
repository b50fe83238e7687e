import { Connection } from "./connection";
import { FeedHandlers, FeedStart, RoomFeed } from "./feed";
import type { Frame } from "./frame";
import { Outbox, Outgoing } from "./outbox";
import { back_off, judge_close } from "./retry";
import {
  ChatMessage,
  Clock,
  ConnectionState,
  ConnectRefused,
  new_message_id,
  ServerError,
  Socket,
  system_clock,
  Timer,
} from "./types";

/** A receipt that takes longer than this means the connection cannot be trusted. */
const kReceiptLimitMs = 20_000;
/** Online for so long, a connection counts as a success and the back-off starts over. */
const kStableMs = 5_000;

const kErrors = "/user/queue/errors";
const kTransient = new Set([
  "CHAT_RATE_LIMITED",
  "CHAT_STORE_UNAVAILABLE",
  "AUTH_UNAVAILABLE",
  "SERVER_FULL",
  "INTERNAL_ERROR",
]);
const kEndings = new Set(["CHAT_FORBIDDEN", "POSITION_INVALID"]);

export interface ClientOptions {
  /**
   * The address for one attempt, with a fresh token or ticket in it. `renew`: the server refused the
   * last token, get another. May throw ConnectRefused. `failures`: handshakes refused in a row.
   */
  url(attempt: { renew: boolean; failures: number }): Promise<string>;
  on_state(state: ConnectionState): void;
  /** A message of ours went to sending, sent or failed. */
  on_outgoing(out: Outgoing): void;
  /** A refused operation that nobody else took. */
  on_error?(error: ServerError): void;
  heartbeat_ms?: number;
  open_socket?: (url: string) => Socket;
  clock?: Clock;
  random?: () => number;
}

interface Waiting {
  resolve(headers: Record<string, string>): void;
  reject(error: ServerError): void;
  limit: Timer;
}

/**
 * A connection to Parley that survives losing the connection.
 *
 * Promises: a feed hands on each message once, in seq order, over any number of reconnects; what is
 * sent is stored at most once and stays "sending" until it is stored or refused; no attempt is made
 * where the close code says not to. Everything is called on the caller's own event loop.
 */
export class ParleyClient {
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly outbox: Outbox;
  private readonly feeds = new Map<string, RoomFeed>();
  private readonly listeners = new Map<string, (body: unknown) => void>();
  private readonly present = new Set<string>();
  private readonly receipts = new Map<string, Waiting>();
  /** Of the current connection: subscription id to what takes its messages. */
  private readonly routes = new Map<string, (frame: Frame) => void>();
  private readonly route_ids = new Map<string, string>();

  private state: ConnectionState = { kind: "idle" };
  private connection: Connection | undefined;
  private timer: Timer | undefined;
  private stable: Timer | undefined;
  /** Rises with each attempt, so that a late answer of an older one is recognised. */
  private round = 0;
  private failures = 0;
  private refused_handshakes = 0;
  private renew = false;
  private counter = 0;

  constructor(private readonly options: ClientOptions) {
    this.clock = options.clock ?? system_clock;
    this.random = options.random ?? Math.random;
    this.outbox = new Outbox((out) => options.on_outgoing(out));
  }

  get connection_state(): ConnectionState {
    return this.state;
  }

  start(): void {
    if (this.state.kind === "idle" || this.state.kind === "stopped") void this.attempt();
  }

  /** Does not wait for the back-off to end; also the way out of "stopped". No effect while online. */
  retry_now(): void {
    if (this.state.kind === "waiting" || this.state.kind === "stopped") void this.attempt();
  }

  stop(): void {
    this.round++;
    this.timer?.cancel();
    this.forget_connection();
    this.connection?.close();
    this.connection = undefined;
    this.set_state({ kind: "idle" });
  }

  /** One feed a room; opening it again replaces the first. */
  open_room(room_id: string, start: FeedStart, handlers: FeedHandlers): RoomFeed {
    this.close_room(room_id);
    const feed = new RoomFeed(room_id, handlers, start);
    this.feeds.set(room_id, feed);
    if (this.online()) this.subscribe_feed(feed);
    return feed;
  }

  close_room(room_id: string): void {
    if (this.feeds.delete(room_id)) this.unsubscribe(room_destination(room_id));
  }

  /** Events without seq: typing, presence, notifications. Kept over reconnects, never replayed. */
  listen(destination: string, on_body: (body: unknown) => void): void {
    this.listeners.set(destination, on_body);
    if (this.online()) this.subscribe_listener(destination);
  }

  unlisten(destination: string): void {
    if (this.listeners.delete(destination)) this.unsubscribe(destination);
  }

  /** Present in the room until leave(), over reconnects too. */
  join(room_id: string): void {
    if (this.present.has(room_id)) return;
    this.present.add(room_id);
    if (this.online()) this.send_presence("JOIN", room_id);
  }

  leave(room_id: string): void {
    if (this.present.delete(room_id) && this.online()) this.send_presence("LEAVE", room_id);
  }

  /** `message_id` is for a message that an earlier page left unsent. */
  send(room_id: string, content: string, message_id: string = new_message_id(this.clock.now())): Outgoing {
    const out = this.outbox.add(message_id, room_id, content);
    if (this.online()) this.transmit(out);
    return out;
  }

  retry(message_id: string): void {
    const out = this.outbox.retry(message_id);
    if (out && this.online()) this.transmit(out);
  }

  discard(message_id: string): void {
    this.outbox.discard(message_id);
  }

  unsent(): Outgoing[] {
    return this.outbox.unsent();
  }

  /** For what may be lost: typing, read marks. Nothing happens while offline. */
  tell(destination: string, body: unknown): void {
    if (this.online()) this.connection?.send("SEND", { destination }, JSON.stringify(body));
  }

  /** Gives the open connection a fresh token of the same member. */
  refresh_token(token: string): void {
    if (this.online()) this.connection?.send("SEND", { destination: "/pub/auth/refresh", token });
  }

  private online(): boolean {
    return this.state.kind === "online";
  }

  private set_state(state: ConnectionState): void {
    this.state = state;
    this.options.on_state(state);
  }

  private async attempt(): Promise<void> {
    const round = ++this.round;
    this.timer?.cancel();
    this.set_state({ kind: "connecting", attempt: this.failures });
    let url: string;
    try {
      url = await this.options.url({ renew: this.renew, failures: this.refused_handshakes });
    } catch (error) {
      if (round === this.round) this.no_address(error);
      return;
    }
    if (round !== this.round) return;
    const open = this.options.open_socket ?? ((at: string) => open_browser_socket(at));
    this.refused_handshakes++;
    this.connection = new Connection(open(url), this.clock, this.options.heartbeat_ms ?? 10_000, {
      on_connected: () => this.connected(),
      on_frame: (frame) => this.receive(frame),
      on_closed: (code, reason) => this.closed(code, reason),
    });
  }

  private no_address(error: unknown): void {
    const advice = error instanceof ConnectRefused ? error.advice : {};
    if (advice.stop) return this.set_state({ kind: "stopped", reason: advice.stop });
    this.wait(advice.retry_after_ms ?? back_off(this.failures, this.random));
  }

  private wait(delay_ms: number): void {
    this.failures++;
    this.timer = this.clock.after(delay_ms, () => void this.attempt());
    this.set_state({ kind: "waiting", retry_at: this.clock.now() + delay_ms, attempt: this.failures });
  }

  private connected(): void {
    this.refused_handshakes = 0;
    this.stable = this.clock.after(kStableMs, () => {
      this.failures = 0;
      this.renew = false;
    });
    // First of all the queue that refusals of the next frames go to.
    this.subscribe(kErrors, {}, (frame) => this.refusal(parse_json(frame.body) as ServerError | undefined));
    for (const destination of this.listeners.keys()) this.subscribe_listener(destination);
    for (const feed of [...this.feeds.values()]) this.subscribe_feed(feed);
    for (const room_id of this.present) this.send_presence("JOIN", room_id);
    for (const out of this.outbox.unacknowledged()) this.transmit(out);
    this.set_state({ kind: "online" });
  }

  private closed(code: number, reason: string): void {
    this.connection = undefined;
    this.forget_connection();
    this.outbox.connection_lost();
    if (code === 1009) this.outbox.fail_longest({ code: "CHAT_MESSAGE_TOO_LARGE", message: reason });
    const verdict = judge_close(code, reason, this.failures, this.random);
    if (verdict.kind === "stop") return this.set_state({ kind: "stopped", reason: verdict.reason });
    if (verdict.kind === "retry") return this.wait(verdict.delay_ms);
    if (this.renew) return this.set_state({ kind: "stopped", reason: "login" });
    this.renew = true;
    void this.attempt();
  }

  private forget_connection(): void {
    this.stable?.cancel();
    for (const waiting of this.receipts.values()) waiting.limit.cancel();
    this.receipts.clear();
    this.routes.clear();
    this.route_ids.clear();
  }

  private receive(frame: Frame): void {
    if (frame.command === "MESSAGE") return this.routes.get(frame.headers["subscription"] ?? "")?.(frame);
    if (frame.command === "RECEIPT") return this.settle(frame.headers["receipt-id"])?.resolve(frame.headers);
    if (frame.command !== "ERROR") return;
    const said = parse_json(frame.body) as Partial<ServerError> | undefined;
    const error: ServerError = { code: "ERROR", message: frame.headers["message"] ?? "", ...said };
    const waiting = this.settle(frame.headers["receipt-id"]);
    if (waiting) waiting.reject(error);
    else this.options.on_error?.(error);
  }

  private refusal(error: ServerError | undefined): void {
    if (!error || error.code === "RESYNC") return; // the server goes on from there by itself
    const feed = error.roomId === undefined ? undefined : this.feeds.get(error.roomId);
    if (error.code === "HISTORY_TRUNCATED" && feed && error.firstSeq !== undefined) {
      return feed.truncated(error.firstSeq);
    }
    const waiting = this.settle(error.receiptId);
    if (waiting) return waiting.reject(error);
    // No receipt asked for it, so it is about the subscription: the right to read has ended, or the position.
    if (feed && kEndings.has(error.code)) return this.feed_refused(feed, error);
    this.options.on_error?.(error);
  }

  private settle(receipt_id: string | undefined): Waiting | undefined {
    if (receipt_id === undefined) return undefined;
    const waiting = this.receipts.get(receipt_id);
    this.receipts.delete(receipt_id);
    waiting?.limit.cancel();
    return waiting;
  }

  /** `busy`: asked when time is up; true grants as much again. */
  private expect_receipt(waiting: Omit<Waiting, "limit">, busy: () => boolean = () => false): string {
    const id = `r${++this.counter}`;
    const wait = (): Timer =>
      this.clock.after(kReceiptLimitMs, () => {
        const entry = this.receipts.get(id);
        if (entry && busy()) entry.limit = wait();
        else this.connection?.abandon("no receipt in time");
      });
    this.receipts.set(id, { ...waiting, limit: wait() });
    return id;
  }

  private transmit(out: Outgoing): void {
    const receipt = this.expect_receipt({
      resolve: () => this.outbox.acknowledge(out.message_id),
      reject: (error) => this.outbox.fail(out.message_id, error),
    });
    const body = { type: "TALK", roomId: out.room_id, content: out.content, messageId: out.message_id };
    this.send_json("/pub/chat/send", body, { receipt });
  }

  private send_presence(type: "JOIN" | "LEAVE", room_id: string): void {
    this.send_json("/pub/chat/send", { type, roomId: room_id, messageId: new_message_id(this.clock.now()) });
  }

  private send_json(destination: string, body: unknown, headers: Record<string, string> = {}): void {
    const all = { destination, "content-type": "application/json", ...headers };
    this.connection?.send("SEND", all, JSON.stringify(body));
  }

  private subscribe(destination: string, headers: Record<string, string>, take: (frame: Frame) => void): void {
    this.unsubscribe(destination);
    const id = `s${++this.counter}`;
    this.routes.set(id, take);
    this.route_ids.set(destination, id);
    this.connection?.send("SUBSCRIBE", { id, destination, ...headers });
  }

  private unsubscribe(destination: string): void {
    const id = this.route_ids.get(destination);
    if (id === undefined) return;
    this.routes.delete(id);
    this.route_ids.delete(destination);
    this.connection?.send("UNSUBSCRIBE", { id });
  }

  private subscribe_listener(destination: string): void {
    this.subscribe(destination, {}, (frame) => this.listeners.get(destination)?.(parse_json(frame.body)));
  }

  private subscribe_feed(feed: RoomFeed): void {
    // A long way to catch up is not silence.
    let heard = false;
    const still_coming = (): boolean => {
      const was = heard;
      heard = false;
      return was;
    };
    const receipt = this.expect_receipt(
      {
        resolve: (headers) => feed.live(headers["epoch"], whole_number(headers["seq"])),
        reject: (error) => this.feed_refused(feed, error),
      },
      still_coming,
    );
    const destination = room_destination(feed.room_id);
    this.subscribe(destination, { ...feed.resume_headers(), receipt }, (frame) => {
      const message = parse_json(frame.body) as ChatMessage | undefined;
      if (!message || !(message.seq > 0)) return;
      heard = true;
      if (feed.accept(message, frame.headers["replay"] === "true") === "gap") this.subscribe_feed(feed);
      else this.outbox.saw_stored(message.messageId);
    });
  }

  private feed_refused(feed: RoomFeed, error: ServerError): void {
    if (this.feeds.get(feed.room_id) !== feed) return;
    if (error.code === "POSITION_INVALID") {
      feed.reset();
      if (this.online()) this.subscribe_feed(feed);
    } else if (kTransient.has(error.code)) {
      const round = this.round;
      this.clock.after(back_off(1, this.random), () => {
        if (round === this.round && this.online() && this.feeds.get(feed.room_id) === feed) this.subscribe_feed(feed);
      });
    } else {
      this.close_room(feed.room_id);
      feed.handlers.on_ended?.(error);
    }
  }
}

function room_destination(room_id: string): string {
  return `/sub/chat/room/${room_id}`;
}

function parse_json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function whole_number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function open_browser_socket(url: string): Socket {
  const socket = new WebSocket(url, ["v12.stomp", "v11.stomp"]);
  socket.binaryType = "arraybuffer";
  return socket;
}
