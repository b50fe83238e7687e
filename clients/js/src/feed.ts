import type { ChatMessage, ServerError } from "./types";

export interface FeedHandlers {
  /** Every message after the starting point once, seq rising. */
  on_message(message: ChatMessage, replay: boolean): void;
  /** The server is live for this feed: whatever is sent from now on arrives. */
  on_live?(head_seq: number | undefined): void;
  /** What was shown belongs to another life of the room: forget it; the newest messages follow. */
  on_reset?(): void;
  /** Messages below `first_seq` that were missing here are gone for good. */
  on_truncated?(first_seq: number): void;
  /** No more messages will come; the feed is closed. */
  on_ended?(error: ServerError): void;
}

export interface FeedStart {
  /** So many of the newest messages first. */
  last: number;
  /** Or everything after this position, when one is known from before. */
  after?: { seq: number; epoch?: string };
}

export type Arrival = "delivered" | "repeated" | "gap";

/**
 * One room as this client sees it: the position reached, and what to ask for next.
 * Order: hands on each seq once and rising; reports a gap instead of stepping over it.
 */
export class RoomFeed {
  /** Undefined until the first message or an empty room's receipt tells where we are. */
  private seq: number | undefined;
  private epoch: string | undefined;
  private asked_again_at: number | undefined;

  constructor(
    readonly room_id: string,
    readonly handlers: FeedHandlers,
    private readonly start: FeedStart,
  ) {
    this.seq = start.after?.seq;
    this.epoch = start.after?.epoch;
  }

  get position(): { seq: number | undefined; epoch: string | undefined } {
    return { seq: this.seq, epoch: this.epoch };
  }

  /** The SUBSCRIBE headers that continue exactly where this feed stands. */
  resume_headers(): Record<string, string> {
    if (this.seq === undefined) return { last: String(this.start.last) };
    const headers: Record<string, string> = { "after-seq": String(this.seq) };
    if (this.epoch !== undefined) headers["epoch"] = this.epoch;
    return headers;
  }

  accept(message: ChatMessage, replay: boolean): Arrival {
    if (this.seq !== undefined) {
      if (message.seq <= this.seq) return "repeated";
      if (message.seq > this.seq + 1) {
        if (this.asked_again_at !== this.seq) {
          this.asked_again_at = this.seq;
          return "gap";
        }
        // Asked once more and the server still begins later: what lies between is not kept.
        this.handlers.on_truncated?.(message.seq);
      }
    }
    this.seq = message.seq;
    this.handlers.on_message(message, replay);
    return "delivered";
  }

  live(epoch: string | undefined, head_seq: number | undefined): void {
    if (epoch !== undefined) this.epoch = epoch;
    if (this.seq === undefined && head_seq === 0) this.seq = 0;
    this.handlers.on_live?.(head_seq);
  }

  truncated(first_seq: number): void {
    if (this.seq !== undefined && this.seq < first_seq - 1) this.seq = first_seq - 1;
    this.handlers.on_truncated?.(first_seq);
  }

  reset(): void {
    this.seq = undefined;
    this.epoch = undefined;
    this.asked_again_at = undefined;
    this.handlers.on_reset?.();
  }
}
