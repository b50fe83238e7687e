import type { RoomInfo } from "./api";
import type { App } from "./app";
import { Child, h, icon, icon_button, replace, set_text } from "./dom";
import { hue, initials } from "./format";
import { t, time_of } from "./i18n";
import { avatar } from "./message_view";
import type { RoomState } from "./room_state";
import { settings_buttons } from "./settings";

export interface SidebarActions {
  create(): void;
  join_by_id(): void;
  log_out(): void;
  rebuild(): void;
}

interface Item {
  li: HTMLLIElement;
  link: HTMLAnchorElement;
  /** What it was drawn from; the same again leaves it alone. */
  drawn: string;
}

interface Section {
  list: HTMLUListElement;
  empty: HTMLElement;
}

/**
 * Rooms on the left: mine by last activity with what is unread, then the open ones.
 * Elements stay and move as little as possible: a click that begins before a message comes must still count.
 */
export class SidebarView {
  readonly element: HTMLElement;
  private readonly mine = section();
  private readonly open = section();
  private readonly items = new Map<string, Item>();
  private readonly search = h("input", {
    type: "search",
    class: "search",
    placeholder: t("find_room"),
    "aria-label": t("find_room"),
    on_input: () => this.sync(),
  });

  constructor(
    private readonly app: App,
    actions: SidebarActions,
  ) {
    const me = app.me;
    this.element = h(
      "nav",
      { class: "sidebar", "aria-label": t("my_rooms") },
      h(
        "div",
        { class: "sidebar-head" },
        h("div", { class: "brand" }, icon("d20"), h("span", {}, "Parley")),
        icon_button("enter", t("join_by_id"), actions.join_by_id, { "data-testid": "join-by-id" }),
        icon_button("plus", t("create_room"), actions.create, { "data-testid": "create-room" }),
      ),
      h("div", { class: "search-row" }, this.search),
      h(
        "div",
        { class: "room-lists", "data-testid": "room-list" },
        h("h2", { class: "section-title" }, t("my_rooms")),
        this.mine.list,
        this.mine.empty,
        h("h2", { class: "section-title" }, t("public_rooms")),
        this.open.list,
        this.open.empty,
      ),
      h(
        "div",
        { class: "sidebar-foot" },
        avatar(me.id, me.nickname),
        h("div", { class: "me" }, h("strong", { "data-testid": "my-nickname" }, me.nickname)),
        ...settings_buttons(actions.rebuild),
        icon_button("logout", t("log_out"), actions.log_out, { "data-testid": "log-out" }),
      ),
    );
  }

  sync(): void {
    const { app } = this;
    const wanted = this.search.value.trim().toLowerCase();
    const matches = (info: RoomInfo): boolean =>
      wanted === "" || info.name.toLowerCase().includes(wanted) || info.roomId.toLowerCase().includes(wanted);
    const mine = app.my_rooms
      .map((id) => app.rooms.get(id))
      .filter((room): room is RoomState => room !== undefined && matches(room.info))
      .sort((a, b) => activity(b).localeCompare(activity(a)));
    const open = app.public_rooms.filter(matches);
    fill(
      this.mine,
      mine.map((room) => this.my_item(room)),
      app.rooms_loaded ? t("no_rooms") : t("loading"),
    );
    fill(
      this.open,
      open.map((info) => this.open_item(info)),
      app.rooms_loaded ? t("no_public") : "",
    );
  }

  private my_item(room: RoomState): HTMLLIElement {
    const { info, last, unread } = room;
    const line = preview(room);
    const when = last && short_time(last.createdAt);
    return this.item(info, unread > 0 ? "unread" : "", [line, when, unread], () => [
      tile(info),
      h(
        "span",
        { class: "item-main" },
        h(
          "span",
          { class: "item-line" },
          h(
            "span",
            { class: "item-name" },
            info.visibility === "private" && icon("lock"),
            h("span", { class: "clip" }, info.name),
          ),
          when && h("time", { class: "item-time" }, when),
        ),
        h("span", { class: "item-line" }, h("span", { class: "item-preview clip" }, line), unread > 0 && badge(unread)),
      ),
    ]);
  }

  private open_item(info: RoomInfo): HTMLLIElement {
    return this.item(info, "small", [], () => [
      icon("hash"),
      h("span", { class: "item-name" }, h("span", { class: "clip" }, info.name)),
    ]);
  }

  private item(info: RoomInfo, extra: string, shown: unknown[], content: () => Child[]): HTMLLIElement {
    const item = this.items.get(info.roomId) ?? this.new_item(info.roomId);
    const current = this.app.active?.info.roomId === info.roomId;
    const drawn = JSON.stringify([info.name, info.visibility, extra, current, shown]);
    if (item.drawn === drawn) return item.li;
    item.drawn = drawn;
    item.link.className = `room-item ${extra}`;
    item.link.title = info.name;
    if (current) item.link.setAttribute("aria-current", "page");
    else item.link.removeAttribute("aria-current");
    replace(item.link, ...content());
    return item.li;
  }

  private new_item(room_id: string): Item {
    const link = h("a", { href: `#/room/${encodeURIComponent(room_id)}`, "data-testid": `room-item-${room_id}` });
    const item = { li: h("li", {}, link), link, drawn: "" };
    this.items.set(room_id, item);
    return item;
  }
}

function section(): Section {
  return { list: h("ul", { class: "room-items" }), empty: h("p", { class: "empty-note" }) };
}

function fill({ list, empty }: Section, wanted: HTMLLIElement[], nothing: string): void {
  wanted.forEach((li, i) => list.children[i] !== li && list.insertBefore(li, list.children[i] ?? null));
  while (list.children.length > wanted.length) list.lastElementChild?.remove();
  empty.hidden = wanted.length > 0;
  set_text(empty, nothing);
}

function badge(unread: number): HTMLElement {
  const text = unread > 99 ? "99+" : String(unread);
  return h("span", { class: "badge", "data-testid": "unread", "aria-label": t("unread", { n: unread }) }, text);
}

export function tile(info: RoomInfo): HTMLElement {
  const element = h("span", { class: "tile", "aria-hidden": "true" }, initials(info.name));
  element.style.setProperty("--hue", String(hue(info.roomId)));
  return element;
}

function activity(room: RoomState): string {
  return room.last?.createdAt ?? room.info.createdAt;
}

function short_time(iso: string): string {
  const date = new Date(iso);
  return date.toDateString() === new Date().toDateString() ? time_of(iso) : `${date.getMonth() + 1}/${date.getDate()}`;
}

function preview(room: RoomState): string {
  const { last } = room;
  if (!room.readable) return t("invitation");
  if (!last) return t("no_messages");
  const name = last.senderNickname || last.senderId;
  if (last.type === "JOIN") return t("joined", { name });
  if (last.type === "LEAVE") return t("left", { name });
  return `${name}: ${last.content.slice(0, 120).replace(/\s+/g, " ")}`;
}
