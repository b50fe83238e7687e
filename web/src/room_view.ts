import type { App, Topic } from "./app";
import { Composer } from "./composer";
import { Child, h, icon, icon_button, replace, set_text } from "./dom";
import { t } from "./i18n";
import { MessageList } from "./message_list";
import { avatar } from "./message_view";
import type { Member, Visibility } from "./api";
import type { RoomState } from "./room_state";
import { tile } from "./sidebar_view";

export interface RoomActions {
  invite(room: RoomState): void;
  kick(room: RoomState, member: Member): void;
  set_visibility(room: RoomState, visibility: Visibility): void;
  leave(room: RoomState): void;
  join(room: RoomState): Promise<void>;
}

/** The open room: head, conversation, composer or the way in, and who is here. */
export class RoomView {
  readonly element: HTMLElement;
  private readonly head = h("header", { class: "room-head" });
  private readonly foot = h("div", { class: "room-foot" });
  private readonly people: HTMLElement;
  private readonly list: MessageList;
  private composer: Composer | undefined;
  private drawn_head = "";

  constructor(
    private readonly app: App,
    readonly room: RoomState,
    private readonly actions: RoomActions,
  ) {
    this.list = new MessageList(room, app.me, {
      older: () => void app.load_older(room),
      saw_newest: () => app.saw_newest(),
      retry: (out) => app.retry(out),
      discard: (out) => app.discard(room, out),
    });
    this.people = h("aside", {
      class: "people",
      id: "people",
      "aria-label": t("members"),
      "data-testid": "member-list",
    });
    this.element = h(
      "div",
      { class: "room" },
      h("section", { class: "room-main", "aria-label": room.info.name }, this.head, this.list.element, this.foot),
      this.people,
    );
    this.sync_head();
    this.sync_foot();
    this.sync_people();
  }

  /** Once the element is in the page. */
  opened(): void {
    this.list.sync();
    this.sync_typists();
    this.composer?.fit();
    if (matchMedia("(min-width: 721px)").matches) this.composer?.focus();
  }

  sync(topics: Set<Topic>): void {
    if (topics.has("room")) {
      this.sync_head();
      this.sync_foot();
    }
    if (topics.has("messages")) this.list.sync();
    if (topics.has("members")) this.sync_people();
    if (topics.has("typing")) this.sync_typists();
  }

  private sync_head(): void {
    const { room } = this;
    const mine = this.app.is_mine(room);
    const owner = this.app.is_owner(room);
    const drawn = JSON.stringify([room.info.name, room.info.visibility, mine, owner]);
    if (this.drawn_head === drawn) return; // buttons keep the focus
    this.drawn_head = drawn;
    const closed = room.info.visibility === "private";
    const other = closed ? "public" : "private";
    replace(
      this.head,
      h(
        "a",
        { class: "icon-button back", href: "#/", "aria-label": t("back"), title: t("back"), "data-testid": "back" },
        icon("back"),
      ),
      tile(room.info),
      h(
        "div",
        { class: "room-title" },
        h("h1", { class: "clip", "data-testid": "room-name" }, room.info.name),
        h(
          "p",
          { class: "clip" },
          icon(closed ? "lock" : "hash"),
          `${t(room.info.visibility)} · ${room.info.roomId}`,
        ),
      ),
      owner &&
        icon_button(closed ? "unlock" : "lock", t(`make_${other}`), () => this.actions.set_visibility(room, other), {
          "data-testid": `make-${other}`,
        }),
      owner && icon_button("invite", t("invite"), () => this.actions.invite(room), { "data-testid": "invite" }),
      mine && icon_button("leave", t("leave"), () => this.actions.leave(room), { "data-testid": "leave-room" }),
      this.people_button(),
    );
  }

  private people_button(): HTMLElement {
    const toggle = (): void => {
      const wide = matchMedia("(min-width: 1081px)").matches;
      const open = this.element.classList.toggle(wide ? "people-hidden" : "people-open");
      button.setAttribute("aria-expanded", String(wide ? !open : open));
    };
    const button = icon_button("users", t("members"), toggle, {
      "aria-controls": "people",
      "data-testid": "toggle-members",
    });
    return button;
  }

  private sync_foot(): void {
    if (this.app.is_mine(this.room)) {
      if (this.composer) return;
      this.composer = new Composer(this.room, {
        send: (content) => this.app.send(this.room, content),
        typing: () => this.app.tell_typing(this.room),
      });
      replace(this.foot, this.composer.element);
      if (this.foot.isConnected) this.composer.focus();
      return;
    }
    if (this.foot.querySelector(".door")) return;
    this.composer = undefined;
    const invited = !this.room.readable;
    const button: HTMLButtonElement = h(
      "button",
      { type: "button", class: "button primary", "data-testid": "join-room", on_click: () => void enter() },
      t(invited ? "accept_invitation" : "join_room"),
    );
    const enter = async (): Promise<void> => {
      button.disabled = true;
      await this.actions.join(this.room).finally(() => (button.disabled = false));
    };
    replace(this.foot, h("div", { class: "door" }, h("p", {}, t(invited ? "invited_hint" : "join_hint")), button));
  }

  private sync_typists(): void {
    this.composer?.show_typists(this.room.who_types(Date.now()));
  }

  private sync_people(): void {
    const all = [...this.room.members].sort((a, b) => a.nickName.localeCompare(b.nickName));
    const here = all.filter((member) => member.present);
    const { readable } = this.room; // else nobody told us who is here
    const away = all.filter((member) => !member.present);
    replace(
      this.people,
      h(
        "div",
        { class: "people-head" },
        h("h2", {}, t("members")),
        icon_button("close", t("close"), () => this.element.classList.remove("people-open"), {
          class: "icon-button people-close",
        }),
      ),
      ...(readable ? this.people_section(t("here_now"), here) : []),
      readable && here.length === 0 && h("p", { class: "empty-note" }, t("nobody_here")),
      ...(away.length > 0 ? this.people_section(t("away"), away) : []),
    );
  }

  private people_section(title: string, members: Member[]): Child[] {
    return [
      h("h3", { class: "section-title" }, `${title} — ${members.length}`),
      h("ul", {}, ...members.map((member) => this.person(member))),
    ];
  }

  private person(member: Member): HTMLElement {
    const name = h("span", { class: "clip" });
    set_text(name, member.nickName || member.memberId);
    const crown =
      member.standing.toLowerCase() === "owner" &&
      h(
        "span",
        { class: "crown", title: t("owner") },
        icon("crown"),
        h("span", { class: "visually-hidden" }, t("owner")),
      );
    return h(
      "li",
      {
        class: member.present ? "person present" : "person",
        "data-testid": `member-${member.memberId}`,
        "data-present": String(member.present),
      },
      avatar(member.memberId, member.nickName || member.memberId, "with-dot"),
      name,
      member.memberId === this.app.me.id && h("span", { class: "you" }, t("you")),
      member.standing.toLowerCase() === "invited" && h("span", { class: "you" }, t("invitation")),
      crown,
      this.app.is_owner(this.room) &&
        member.memberId !== this.app.me.id &&
        icon_button("close", t("kick", { name: name.textContent ?? "" }), () => this.actions.kick(this.room, member), {
          class: "icon-button kick",
          "data-testid": `kick-${member.memberId}`,
        }),
    );
  }
}
