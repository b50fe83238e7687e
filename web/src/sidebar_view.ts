import type { RoomInfo } from "./api";
import type { App } from "./app";
import { Child, h, icon, icon_button, replace } from "./dom";
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

/** Rooms on the left: mine by last activity with what is unread, then the open ones. */
export class SidebarView {
  readonly element: HTMLElement;
  private readonly lists = h("div", { class: "room-lists", "data-testid": "room-list" });
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
      this.lists,
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
    const matches = (info: RoomInfo): boolean => wanted === "" || info.name.toLowerCase().includes(wanted) || info.roomId.toLowerCase().includes(wanted);
    const mine = app.my_rooms
      .map((id) => app.rooms.get(id))
      .filter((room): room is RoomState => room !== undefined && matches(room.info))
      .sort((a, b) => activity(b).localeCompare(activity(a)));
    const open = app.public_rooms.filter(matches);
    const focused = (document.activeElement as HTMLElement | null)?.dataset["testid"];
    replace(
      this.lists,
      ...this.section(t("my_rooms"), mine.map((room) => this.my_item(room)), app.rooms_loaded ? t("no_rooms") : t("loading")),
      ...this.section(t("public_rooms"), open.map((info) => this.open_item(info)), app.rooms_loaded ? t("no_public") : ""),
    );
    if (focused?.startsWith("room-item-")) this.lists.querySelector<HTMLElement>(`[data-testid="${focused}"]`)?.focus();
  }

  private section(title: string, items: HTMLElement[], empty: string): Child[] {
    return [h("h2", { class: "section-title" }, title), items.length > 0 ? h("ul", { class: "room-items" }, ...items) : h("p", { class: "empty-note" }, empty)];
  }

  private my_item(room: RoomState): HTMLElement {
    const { info } = room;
    const { last, unread } = room;
    const badge = unread > 0 && h("span", { class: "badge", "data-testid": "unread", "aria-label": t("unread", { n: unread }) }, unread > 99 ? "99+" : String(unread));
    const when = last && h("time", { class: "item-time" }, short_time(last.createdAt));
    return this.item(
      info,
      unread > 0 ? "unread" : "",
      tile(info),
      h(
        "span",
        { class: "item-main" },
        h("span", { class: "item-line" }, h("span", { class: "item-name" }, info.visibility === "private" && icon("lock"), h("span", { class: "clip" }, info.name)), when),
        h("span", { class: "item-line" }, h("span", { class: "item-preview clip" }, preview(room)), badge),
      ),
    );
  }

  private open_item(info: RoomInfo): HTMLElement {
    return this.item(info, "small", icon("hash"), h("span", { class: "item-name" }, h("span", { class: "clip" }, info.name)));
  }

  private item(info: RoomInfo, extra: string, ...content: Child[]): HTMLElement {
    const current = this.app.active?.info.roomId === info.roomId;
    const href = `#/room/${encodeURIComponent(info.roomId)}`;
    return h(
      "li",
      {},
      h("a", { class: `room-item ${extra}`, href, "data-testid": `room-item-${info.roomId}`, "aria-current": current ? "page" : undefined, title: info.name }, ...content),
    );
  }
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
  if (!last) return t("no_messages");
  const name = last.senderNickname || last.senderId;
  if (last.type === "JOIN") return t("joined", { name });
  if (last.type === "LEAVE") return t("left", { name });
  return `${name}: ${last.content.slice(0, 120).replace(/\s+/g, " ")}`;
}
