import {
  ChatMessage,
  ConnectionState,
  ConnectRefused,
  Outgoing,
  ParleyClient,
  ServerError,
} from "../../clients/js/src/index";
import { ApiError, RoomInfo, Visibility } from "./api";
import { read_event } from "./events";
import { RoomState } from "./room_state";
import type { Session } from "./session";

/** Lines a feed begins with, and a page of history. */
const kPage = 50;
const kTypingEveryMs = 3_000;
/** A stored message comes back through the feed well within this time, if it comes. */
const kEchoLimitMs = 10_000;
const kRefreshRoomsMs = 30_000;
/** The server allows 256 subscriptions a connection; some are needed for events and errors. */
const kMostFeeds = 200;
/** The server takes 128 KiB a frame; JSON escapes and headers need their part. */
const kLongestContent = 60_000;

export type Topic = "rooms" | "room" | "messages" | "members" | "typing" | "connection";

/**
 * The logged-in page without its looks: one connection, the rooms, and which one is open.
 * Views ask for what they show and are told by topic what changed, at most once a frame.
 */
export class App {
  readonly rooms = new Map<string, RoomState>();
  my_rooms: string[] = [];
  public_rooms: RoomInfo[] = [];
  active: RoomState | undefined;
  connection: ConnectionState = { kind: "idle" };
  rooms_loaded = false;
  on_change: (topics: Set<Topic>) => void = () => undefined;
  /** The login is of no use any more. */
  on_expired: () => void = () => undefined;
  /** A room we were in is gone from under us, with what the server said. */
  on_room_ended: (room: RoomState, error: ServerError) => void = () => undefined;

  readonly client: ParleyClient;
  private readonly api = this.session.api;
  private readonly me_id: string;
  private changed = new Set<Topic>();
  private scheduled = false;
  private ended = false;
  private typing_told = 0;
  private read_timer: number | undefined;
  private members_timer: number | undefined;
  private readonly interval: number;
  private rooms_asked = 0;
  /** The asking whose answer is shown: one that was asked before it is old, however late it comes. */
  private rooms_shown = 0;
  private readonly receiving = new Set<string>();
  /** The room whose events are listened to; the active one, if we may. */
  private hearing: string | undefined;

  constructor(private readonly session: Session) {
    this.me_id = session.me?.id ?? "";
    this.client = new ParleyClient({
      url: (attempt) => this.address(attempt),
      on_state: (state) => this.connection_changed(state),
      on_outgoing: (out) => this.outgoing_changed(out),
    });
    session.on_renewed = (token) => this.client.refresh_token(token);
    this.interval = window.setInterval(() => void this.load_rooms(), kRefreshRoomsMs);
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
  }

  async start(): Promise<void> {
    this.client.listen("/user/queue/notifications", () => void this.load_rooms());
    await this.load_rooms();
    if (this.ended) return;
    this.client.start();
    this.send_left_over();
  }

  end(): void {
    this.ended = true;
    window.clearInterval(this.interval);
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.client.stop();
  }

  get me(): { id: string; nickname: string } {
    return this.session.me ?? { id: this.me_id, nickname: "" };
  }

  get unread(): number {
    return this.my_rooms.reduce((sum, id) => sum + (this.rooms.get(id)?.unread ?? 0), 0);
  }

  async load_rooms(): Promise<void> {
    const asking = ++this.rooms_asked;
    try {
      const [mine, open] = await Promise.all([this.api.rooms(true), this.api.rooms(false)]);
      if (this.ended || asking < this.rooms_shown) return;
      this.rooms_shown = asking;
      this.my_rooms = mine.map((info) => info.roomId);
      const owned = new Set(this.my_rooms);
      this.public_rooms = open.filter((info) => !owned.has(info.roomId));
      mine
        .map((info) => this.know(info))
        .filter((room) => room.readable)
        .slice(0, kMostFeeds)
        .forEach((room) => this.receive(room));
      for (const room of [...this.rooms.values()]) if (!owned.has(room.info.roomId)) this.not_mine(room);
      if (this.active) this.attend(this.active);
      this.rooms_loaded = true;
      this.touch("rooms", "room");
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.expire();
    }
  }

  /** Opens a room we know of or can look up. Throws ApiError when there is none for us. */
  async open(room_id: string): Promise<void> {
    const known = this.rooms.get(room_id)?.info ?? this.public_rooms.find((info) => info.roomId === room_id);
    const state = this.know(known ?? (await this.api.room(room_id)));
    if (this.ended || state === this.active) return;
    this.close_active();
    this.active = state;
    state.new_after = state.unread > 0 ? state.read_seq : undefined;
    this.attend(state);
    if (this.is_mine(state)) this.client.join(room_id);
    void this.load_members();
    this.touch("rooms", "room", "messages", "members", "typing");
  }

  close_active(): void {
    const old = this.active;
    this.active = undefined;
    if (!old) return;
    this.client.unlisten(events_of(old.info.roomId));
    this.hearing = undefined;
    old.trim();
    old.life = 0;
    const listed = this.my_rooms.includes(old.info.roomId); // an invitation is, without being a member
    if (!this.is_mine(old) && !listed) this.unfollow(old.info.roomId);
    this.touch("rooms", "room", "messages", "members", "typing");
  }

  /** Whether we invite, remove and open or close here. */
  is_owner(room: RoomState): boolean {
    return this.is_mine(room) && room.info.ownerId === this.me.id;
  }

  is_mine(room: RoomState): boolean {
    return room.info.member;
  }

  async create_room(room: { roomId?: string; name: string; visibility: string }): Promise<string> {
    const made = await this.api.create_room(room);
    await this.load_rooms();
    return made.roomId;
  }

  async join(room_id: string): Promise<void> {
    await this.api.join(room_id);
    await this.load_rooms();
    if (this.active?.info.roomId !== room_id) return;
    this.client.join(room_id);
    void this.load_members();
  }

  async leave(room: RoomState): Promise<void> {
    const id = room.info.roomId;
    this.client.leave(id);
    await this.api.leave(id);
    this.drop(room);
    await this.load_rooms();
  }

  invite(room: RoomState, name: string): Promise<unknown> {
    return this.api.invite(room.info.roomId, name).finally(() => void this.load_members());
  }

  kick(room: RoomState, member_id: string): Promise<unknown> {
    return this.api.kick(room.info.roomId, member_id).finally(() => void this.load_members());
  }

  async set_visibility(room: RoomState, visibility: Visibility): Promise<void> {
    await this.api.set_visibility(room.info.roomId, visibility);
    await this.load_rooms();
  }

  /** False: too long, nothing was sent. */
  send(room: RoomState, content: string): boolean {
    if (new TextEncoder().encode(content).length > kLongestContent) return false;
    this.client.send(room.info.roomId, content);
    this.typing_told = 0; // the message ended what was told; the next key begins anew
    return true;
  }

  retry(out: Outgoing): void {
    this.client.retry(out.message_id);
  }

  discard(room: RoomState, out: Outgoing): void {
    this.client.discard(out.message_id);
    room.discard(out.message_id);
    this.keep_unsent();
    this.touch("messages");
  }

  tell_typing(room: RoomState): void {
    if (Date.now() - this.typing_told < kTypingEveryMs) return;
    this.typing_told = Date.now();
    this.client.tell("/pub/chat/typing", { roomId: room.info.roomId });
  }

  /** The newest line of the open room was looked at. */
  saw_newest(): void {
    const room = this.active;
    if (!room || document.hidden || room.read_seq === undefined) return;
    if (!room.mark_read(room.last?.seq ?? 0)) return;
    this.touch("rooms");
    window.clearTimeout(this.read_timer);
    this.read_timer = window.setTimeout(() => {
      this.client.tell("/pub/chat/read", { roomId: room.info.roomId, seq: room.read_seq });
    }, 400);
  }

  async load_older(room: RoomState): Promise<void> {
    if (room.loading || room.complete || room.first_seq === undefined) return;
    room.loading = true;
    room.load_failed = false;
    this.touch("messages");
    try {
      const page = await this.api.history(room.info.roomId, room.first_seq, kPage);
      const same_life = page.epoch === undefined || room.epoch === undefined || page.epoch === room.epoch;
      if (same_life) room.add_older(page.messages, kPage);
    } catch {
      room.load_failed = true;
    }
    room.loading = false;
    this.touch("messages");
  }

  /** The room's state, made or brought up to date. */
  private know(info: RoomInfo): RoomState {
    const known = this.rooms.get(info.roomId);
    if (known) {
      known.info = info;
      if (!known.live) known.head_seq = Math.max(known.head_seq, info.headSeq ?? 0);
      return known;
    }
    const room = new RoomState(info, this.me_id);
    this.rooms.set(info.roomId, room);
    void this.load_read_mark(room);
    return room;
  }

  /** The open room's lines and events, as soon as we may have them. */
  private attend(room: RoomState): void {
    this.receive(room);
    const id = room.info.roomId;
    if (!room.readable || this.hearing === id) return;
    this.hearing = id;
    this.client.listen(events_of(id), (body) => this.event(room, body));
  }

  private receive(room: RoomState): void {
    const id = room.info.roomId;
    if (!room.readable || this.receiving.has(id)) return;
    this.receiving.add(id);
    const feed = this.client.open_room(
      id,
      { last: kPage },
      {
        on_message: (message) => this.arrived(room, message),
        on_live: () => {
          room.live = true;
          room.epoch = feed.position.epoch;
          this.touch("messages");
        },
        on_reset: () => {
          room.reset();
          this.touch("rooms", "messages");
        },
        on_truncated: () => this.touch("messages"),
        on_ended: (error) => this.refused(room, error),
      },
    );
  }

  private refused(room: RoomState, error: ServerError): void {
    this.receiving.delete(room.info.roomId);
    if (!room.had_right) return; // the next look at the list of rooms decides
    this.drop(room);
    this.on_room_ended(room, error);
    if (room.live) void this.load_rooms(); // else it would be asked for, and refused, without end
  }

  /** Left elsewhere, or only being looked at. */
  private not_mine(room: RoomState): void {
    if (room === this.active) room.info = { ...room.info, member: false };
    else this.unfollow(room.info.roomId);
  }

  private unfollow(room_id: string): void {
    this.client.close_room(room_id);
    this.receiving.delete(room_id);
    this.rooms.delete(room_id);
  }

  private drop(room: RoomState): void {
    if (this.active === room) this.close_active();
    this.my_rooms = this.my_rooms.filter((id) => id !== room.info.roomId);
    this.unfollow(room.info.roomId);
    this.touch("rooms", "room", "messages", "members");
  }

  private arrived(room: RoomState, message: ChatMessage): void {
    if (!room.add(message)) return;
    if (message.type !== "TALK") this.members_soon(room);
    if (room === this.active) this.touch("messages", "typing");
    else if (room.is_long) room.trim();
    this.touch("rooms");
  }

  private async load_read_mark(room: RoomState): Promise<void> {
    const seq = await this.api.read_mark(room.info.roomId).catch(() => room.head_seq);
    room.mark_read(seq);
    if (room === this.active && room.new_after === undefined && room.unread > 0) room.new_after = seq;
    this.touch("rooms", "messages");
  }

  private async load_members(): Promise<void> {
    const room = this.active;
    if (!room) return;
    const members = await this.api.members(room.info.roomId).catch(() => undefined);
    if (!members) return;
    room.members = members;
    this.touch("members");
  }

  private members_soon(room: RoomState): void {
    if (room !== this.active) return;
    window.clearTimeout(this.members_timer);
    this.members_timer = window.setTimeout(() => void this.load_members(), 300);
  }

  private event(room: RoomState, body: unknown): void {
    const event = read_event(body);
    if (event.kind === "typing") {
      const name = event.name ?? room.members.find((member) => member.memberId === event.member_id)?.nickName;
      room.is_typing(event.member_id, name ?? event.member_id, Date.now());
      this.touch("typing");
      window.setTimeout(() => this.touch("typing"), 5_100);
    } else if (event.kind === "presence") {
      room.set_present(event.member_id, event.name, event.present);
      this.touch("members");
      this.members_soon(room);
    } else if (event.kind === "read" && event.member_id === this.me_id) {
      if (room.mark_read(event.seq)) this.touch("rooms");
    }
  }

  private outgoing_changed(out: Outgoing): void {
    const room = this.rooms.get(out.room_id);
    room?.outgoing(out);
    this.keep_unsent();
    if (out.state === "sent") window.setTimeout(() => this.settle(out), kEchoLimitMs);
    if (room === this.active) this.touch("messages");
  }

  /** Stored, but older than what this page's feed began with: it is history, not something to wait for. */
  private settle(out: Outgoing): void {
    this.rooms.get(out.room_id)?.discard(out.message_id);
    this.touch("messages");
  }

  private connection_changed(state: ConnectionState): void {
    this.connection = state;
    if (state.kind === "stopped" && state.reason === "login") return this.expire();
    if (state.kind === "online") {
      void this.load_rooms(); // an invitation may have come before anybody listened
      void this.load_members();
    }
    this.touch("connection");
  }

  private expire(): void {
    if (this.ended) return;
    this.end();
    this.on_expired();
  }

  private readonly wake = (): void => {
    if (document.hidden) return;
    if (this.connection.kind === "waiting") this.client.retry_now();
    this.touch("messages");
  };

  /** Where to connect: a single-use ticket, and a room the handshake will let us into. */
  private async address(attempt: { renew: boolean; failures: number }): Promise<string> {
    try {
      if (attempt.renew && !(await this.session.renew())) throw new ConnectRefused("login", { stop: "login" });
      const ticket = await this.api.ticket();
      const url = new URL("ws-chat", document.baseURI);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      url.searchParams.set("token", ticket);
      url.searchParams.set("roomId", this.door(attempt.failures));
      return url.href;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) throw new ConnectRefused(error.message, { stop: "login" });
      throw new ConnectRefused(
        error.message,
        error.retry_after_ms === undefined ? {} : { retry_after_ms: error.retry_after_ms },
      );
    }
  }

  /** A browser does not say why a handshake was refused, so after a refusal another room is tried. */
  private door(failures: number): string {
    const readable = (id: string | undefined): boolean => id !== undefined && this.rooms.get(id)?.readable === true;
    const known = [
      ...[this.active?.info.roomId, ...this.my_rooms].filter(readable),
      ...this.public_rooms.slice(0, 5).map((info) => info.roomId),
    ];
    const doors = [...new Set(known.filter((id): id is string => id !== undefined)), "lobby"];
    return doors[failures % doors.length] ?? "lobby";
  }

  private get outbox_key(): string {
    return `parley.unsent.${this.me_id}`;
  }

  /** So that a reload neither loses what was not acknowledged nor sends it as something new. */
  private keep_unsent(): void {
    const unsent = this.client.unsent().map((out) => [out.room_id, out.content, out.message_id]);
    if (unsent.length > 0) sessionStorage.setItem(this.outbox_key, JSON.stringify(unsent));
    else sessionStorage.removeItem(this.outbox_key);
  }

  private send_left_over(): void {
    const left = JSON.parse(sessionStorage.getItem(this.outbox_key) ?? "[]") as [string, string, string][];
    for (const [room_id, content, message_id] of left) this.client.send(room_id, content, message_id);
  }

  private touch(...topics: Topic[]): void {
    for (const topic of topics) this.changed.add(topic);
    if (this.scheduled) return;
    this.scheduled = true;
    const flush = (): void => {
      if (!this.scheduled) return;
      this.scheduled = false;
      const topics_now = this.changed;
      this.changed = new Set();
      if (!this.ended) this.on_change(topics_now);
    };
    requestAnimationFrame(flush);
    window.setTimeout(flush, 100); // a hidden page draws no frames, but its title still counts
  }
}

function events_of(room_id: string): string {
  return `/sub/chat/room/${room_id}/events`;
}
