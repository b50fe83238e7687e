import type { ServerError } from "./types";

export type SendState = "sending" | "sent" | "failed";

export interface Outgoing {
  readonly message_id: string;
  readonly room_id: string;
  readonly content: string;
  state: SendState;
  error?: ServerError;
}

interface Entry {
  out: Outgoing;
  /** Seen in the room's feed: stored for certain, whatever becomes of the receipt. */
  stored: boolean;
}

/**
 * What was sent and not yet acknowledged, in the order it was sent.
 * Order:  unacknowledged() keeps that order over any number of reconnects, ids unchanged.
 * Limit:  an entry leaves when it is sent or discarded; failed ones stay for retry().
 */
export class Outbox {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly changed: (out: Outgoing) => void) {}

  add(message_id: string, room_id: string, content: string): Outgoing {
    const out: Outgoing = { message_id, room_id, content, state: "sending" };
    this.entries.set(message_id, { out, stored: false });
    this.changed(out);
    return out;
  }

  unacknowledged(): Outgoing[] {
    return [...this.entries.values()].filter((e) => e.out.state === "sending").map((e) => e.out);
  }

  /** Sending and failed ones alike: what would be lost if this page went away. */
  unsent(): Outgoing[] {
    return [...this.entries.values()].map((e) => e.out);
  }

  acknowledge(message_id: string): void {
    const entry = this.entries.get(message_id);
    if (!entry) return;
    this.entries.delete(message_id);
    entry.out.state = "sent";
    delete entry.out.error;
    this.changed(entry.out);
  }

  /** The message came back through the feed. Its state still turns on the receipt. */
  saw_stored(message_id: string): void {
    const entry = this.entries.get(message_id);
    if (!entry) return;
    entry.stored = true;
    if (entry.out.state === "failed") this.acknowledge(message_id);
  }

  fail(message_id: string, error: ServerError): void {
    const entry = this.entries.get(message_id);
    if (!entry) return;
    if (entry.stored) return this.acknowledge(message_id);
    entry.out.state = "failed";
    entry.out.error = error;
    this.changed(entry.out);
  }

  /** Back to sending, at the end of the queue. Returns undefined unless it had failed. */
  retry(message_id: string): Outgoing | undefined {
    const entry = this.entries.get(message_id);
    if (!entry || entry.out.state !== "failed") return undefined;
    this.entries.delete(message_id);
    this.entries.set(message_id, entry);
    entry.out.state = "sending";
    delete entry.out.error;
    this.changed(entry.out);
    return entry.out;
  }

  discard(message_id: string): void {
    this.entries.delete(message_id);
  }

  /** The server closed because a frame was too large: the longest in flight is the one to blame. */
  fail_longest(error: ServerError): void {
    const longest = this.unacknowledged().sort((a, b) => b.content.length - a.content.length)[0];
    if (longest) this.fail(longest.message_id, error);
  }

  /** The connection is gone, and with it receipts of messages that are known to be stored. */
  connection_lost(): void {
    for (const [id, entry] of [...this.entries]) if (entry.stored) this.acknowledge(id);
  }
}
