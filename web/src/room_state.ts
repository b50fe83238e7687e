import type { ChatMessage, Outgoing } from "../../clients/js/src/index";
import type { Member, RoomInfo } from "./api";

/** Past the limit a room keeps this many of its newest lines. */
const kKept = 300;
const kMostLines = 600;
const kTypingMs = 5_000;

/**
 * What the page knows of one room. No IO, no DOM.
 * Order: `messages` rises by seq without doubles; `pending` is what we wrote and have not seen come back.
 */
export class RoomState {
  messages: ChatMessage[] = [];
  pending: Outgoing[] = [];
  /** Ours that came back before their receipt. */
  readonly unconfirmed = new Map<string, Outgoing>();
  members: Member[] = [];
  draft = "";
  /** Nothing older exists. */
  complete = false;
  truncated = false;
  /** Counts the lives of this room's history; above 0 it started over while we looked on. */
  life = 0;
  loading = false;
  load_failed = false;
  live = false;
  head_seq: number;
  /** Undefined until the server told our read mark. */
  read_seq: number | undefined;
  /** Where the "New" line stands while the room is open. */
  new_after: number | undefined;
  epoch: string | undefined;
  private readonly typing = new Map<string, { name: string; until: number }>();

  constructor(
    public info: RoomInfo,
    private readonly my_id: string,
  ) {
    this.head_seq = info.headSeq ?? 0;
  }

  /** A private room is its members' only: an invitation is a way in, not yet a right to read. */
  get readable(): boolean {
    return this.info.member || this.info.visibility === "public";
  }

  /** Whether a refusal now takes something from us. An invitee who is refused has lost nothing. */
  get had_right(): boolean {
    return this.info.member || this.live;
  }

  get first_seq(): number | undefined {
    return this.messages[0]?.seq;
  }

  get last(): ChatMessage | undefined {
    return this.messages[this.messages.length - 1];
  }

  get unread(): number {
    return this.read_seq === undefined ? 0 : Math.max(0, this.head_seq - this.read_seq);
  }

  /** From the feed: newer than all we have, or not taken. */
  add(message: ChatMessage): boolean {
    const newest = this.last?.seq ?? 0;
    if (message.seq <= newest) return false;
    this.messages.push(message);
    this.head_seq = Math.max(this.head_seq, message.seq);
    if (message.seq === 1) this.complete = true;
    this.typing.delete(message.senderId);
    if (message.senderId === this.my_id) this.came_back(message);
    return true;
  }

  /** An older page, ascending. `asked` is how many it could have held. */
  add_older(page: ChatMessage[], asked: number): void {
    const first = this.first_seq ?? Infinity;
    const older = page.filter((message) => message.seq < first);
    this.messages = [...older, ...this.messages];
    if (older.length >= asked && this.first_seq !== 1) return;
    this.complete = true;
    this.truncated = (this.first_seq ?? 1) > 1;
  }

  /** A message of ours changed its state. */
  outgoing(out: Outgoing): void {
    const known = this.pending.includes(out) || this.unconfirmed.has(out.message_id);
    if (!known && !this.messages.some((m) => m.messageId === out.message_id && m.senderId === this.my_id))
      this.pending.push(out);
    if (out.state === "sent") this.unconfirmed.delete(out.message_id);
  }

  discard(message_id: string): void {
    this.pending = this.pending.filter((out) => out.message_id !== message_id);
  }

  /** The history belongs to another life of the room. */
  reset(): void {
    this.messages = [];
    this.complete = this.truncated = this.live = false;
    this.life++;
    this.head_seq = 0;
    this.read_seq = 0;
    this.new_after = undefined;
    this.epoch = undefined;
  }

  mark_read(seq: number): boolean {
    if (this.read_seq !== undefined && seq <= this.read_seq) return false;
    this.read_seq = seq;
    return true;
  }

  get is_long(): boolean {
    return this.messages.length > kMostLines;
  }

  /** Only the newest lines are kept; the rest is history again. */
  trim(): void {
    if (this.messages.length <= kKept) return;
    this.messages = this.messages.slice(-kKept);
    this.complete = this.truncated = false;
  }

  is_typing(member_id: string, name: string, now: number): void {
    if (member_id !== this.my_id) this.typing.set(member_id, { name, until: now + kTypingMs });
  }

  who_types(now: number): string[] {
    for (const [id, { until }] of [...this.typing]) if (until <= now) this.typing.delete(id);
    return [...this.typing.values()].map((entry) => entry.name);
  }

  set_present(member_id: string, nickname: string | undefined, present: boolean): void {
    const known = this.members.find((member) => member.memberId === member_id);
    if (known) known.present = present;
    else if (present)
      this.members.push({ memberId: member_id, nickName: nickname ?? member_id, standing: "", present });
  }

  private came_back(message: ChatMessage): void {
    const mine = this.pending.find((out) => out.message_id === message.messageId);
    this.mark_read(message.seq);
    if (!mine) return;
    this.discard(message.messageId);
    if (mine.state !== "sent") this.unconfirmed.set(mine.message_id, mine);
  }
}
