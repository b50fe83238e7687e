import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeSocket } from "../../clients/js/src/fakes";
import type { RoomInfo } from "./api";
import { App } from "./app";
import type { Session } from "./session";

const kInvited: RoomInfo = {
  roomId: "r-secret",
  name: "secret",
  kind: "chat",
  visibility: "private",
  ownerId: "u-2",
  createdAt: "",
  headSeq: 3,
  member: false,
};
const kMine: RoomInfo = { ...kInvited, roomId: "r-mine", visibility: "public", member: true };
const lines = (room_id: string): string => `/sub/chat/room/${room_id}`;
const events = (room_id: string): string => `/sub/chat/room/${room_id}/events`;

/** The app of u-1 with a server that holds `mine` and a socket of the test's; no browser, no time. */
class Stage {
  socket = new FakeSocket("");
  readonly over: string[] = [];
  /** What the answers with rooms that are asked for now wait for. */
  delay = Promise.resolve();
  private readonly api = {
    rooms: async (mine: boolean) => {
      const answer = mine ? this.mine : [];
      await this.delay;
      return answer;
    },
    room: (id: string) => Promise.resolve(this.mine.find((info) => info.roomId === id)),
    join: (id: string) => Promise.resolve(this.change(id, true)),
    members: () => Promise.resolve([]),
    read_mark: () => Promise.reject(new Error("not a member")),
    ticket: () => Promise.resolve("t"),
  };
  readonly app: App;

  constructor(private mine: RoomInfo[]) {
    const nothing = (): number => 0;
    const take = (socket: FakeSocket): void => void (this.socket = socket);
    const timers = { setInterval: nothing, clearInterval: nothing, setTimeout: nothing, clearTimeout: nothing };
    const page = { addEventListener: nothing, removeEventListener: nothing };
    Object.assign(globalThis, {
      window: { ...timers, ...page },
      document: { ...page, hidden: false, baseURI: "http://page.test/" },
      requestAnimationFrame: nothing,
      sessionStorage: { getItem: () => null, setItem: nothing, removeItem: nothing },
      WebSocket: class extends FakeSocket {
        constructor(url: string) {
          super(url);
          take(this);
        }
      },
    });
    this.app = new App({ me: { id: "u-1", nickname: "" }, api: this.api } as unknown as Session);
    this.app.on_room_ended = (room) => this.over.push(room.info.roomId);
  }

  change(id: string, member: boolean): void {
    this.mine = this.mine.map((info) => (info.roomId === id ? { ...info, member } : info));
  }

  invite(info: RoomInfo): void {
    this.mine = [...this.mine, info];
  }

  async enter(room_id: string): Promise<void> {
    await this.app.start();
    await this.turn();
    this.socket.accept();
    await this.app.open(room_id);
    await this.turn();
  }

  async turn(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }

  subscribed(destination: string): number {
    return this.socket.sent("SUBSCRIBE", destination).length;
  }

  async refuse(room_id: string): Promise<void> {
    const receiptId = this.socket.subscription(lines(room_id))["receipt"];
    this.socket.refuse({ code: "CHAT_ROOM_NOT_FOUND", roomId: room_id, ...(receiptId && { receiptId }) });
    await this.turn();
  }
}

async function on_stage(mine: RoomInfo[], room_id: string, play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage(mine);
  try {
    await stage.enter(room_id);
    await play(stage);
  } finally {
    stage.app.end();
  }
}

test("an invited room opens without asking for what only members may read", () =>
  on_stage([kInvited], "r-secret", async ({ app, socket }) => {
    assert.equal(app.active?.info.roomId, "r-secret");
    assert.equal(socket.sent("SUBSCRIBE").filter((f) => f.headers["destination"]?.includes("r-secret")).length, 0);
    assert.equal(socket.talks().length, 0);
  }));

test("the handshake knocks at no room that is only an invitation", () =>
  on_stage([kInvited], "r-secret", async ({ socket }) => {
    assert.equal(new URL(socket.url).searchParams.get("roomId"), "lobby");
  }));

test("accepting an invitation brings the room's lines, its events and our presence", () =>
  on_stage([kInvited], "r-secret", async (stage) => {
    await stage.app.join("r-secret");
    assert.deepEqual([lines("r-secret"), events("r-secret")].map((at) => stage.subscribed(at)), [1, 1]);
    assert.deepEqual(stage.socket.talks().map((talk) => talk.type), ["JOIN"]);
  }));

test("an invitation accepted in another tab opens this one's door too", () =>
  on_stage([kInvited], "r-secret", async (stage) => {
    stage.change("r-secret", true);
    await stage.app.load_rooms();
    await stage.app.load_rooms();
    assert.deepEqual([lines("r-secret"), events("r-secret")].map((at) => stage.subscribed(at)), [1, 1]);
  }));

test("an invitation that came before the line stood is there when it does", async () => {
  const stage = new Stage([]);
  try {
    await stage.app.start();
    await stage.turn();
    stage.invite(kInvited);
    stage.socket.accept();
    await stage.turn();
    assert.deepEqual(stage.app.my_rooms, ["r-secret"]);
  } finally {
    stage.app.end();
  }
});

test("an older answer with rooms that comes later changes nothing", () =>
  on_stage([kMine], "r-mine", async (stage) => {
    let come = (): void => undefined;
    stage.delay = new Promise((resolve) => (come = resolve));
    const older = stage.app.load_rooms();
    stage.delay = Promise.resolve();
    stage.invite(kInvited);
    await stage.app.load_rooms();
    come();
    await older;
    assert.deepEqual(stage.app.my_rooms, ["r-mine", "r-secret"]);
  }));

test("an invited room stays in the list when another is opened", () =>
  on_stage([kInvited, kMine], "r-secret", async ({ app }) => {
    await app.open("r-mine");
    assert.deepEqual(app.my_rooms.filter((id) => app.rooms.has(id)), ["r-secret", "r-mine"]);
  }));

test("a refusal while not a member drops nothing and closes nothing", () =>
  on_stage([{ ...kInvited, visibility: "public" }, kMine], "r-secret", async (stage) => {
    await stage.refuse("r-secret");
    assert.equal(stage.app.active?.info.roomId, "r-secret");
    assert.deepEqual(stage.app.my_rooms, ["r-secret", "r-mine"]);
    assert.deepEqual(stage.over, []);
  }));

test("a member who is refused loses the room, and whoever shows it is told", () =>
  on_stage([kMine], "r-mine", async (stage) => {
    await stage.refuse("r-mine");
    assert.equal(stage.app.active, undefined);
    assert.deepEqual(stage.app.my_rooms, []);
    assert.deepEqual(stage.over, ["r-mine"]);
  }));

test("a room refused from the start is not asked for over and over", () =>
  on_stage([kMine], "r-mine", async (stage) => {
    await stage.refuse("r-mine");
    assert.equal(stage.subscribed(lines("r-mine")), 1);
  }));

test("another room's end leaves the open one open", () =>
  on_stage([kMine, { ...kMine, roomId: "r-other" }], "r-mine", async (stage) => {
    await stage.refuse("r-other");
    assert.equal(stage.app.active?.info.roomId, "r-mine");
    assert.deepEqual(stage.app.my_rooms, ["r-mine"]);
  }));
