import { App, Topic } from "./app";
import { ApiError } from "./api";
import { auth_view, explain } from "./auth_view";
import { skip_link } from "./composer";
import { ConnectionView } from "./connection_view";
import { create_room_dialog, invite_dialog, join_dialog, kick_dialog, leave_dialog, visibility_dialog } from "./dialogs";
import { h, icon, replace } from "./dom";
import { error_text, t } from "./i18n";
import { RoomView } from "./room_view";
import { Session } from "./session";
import { apply_settings } from "./settings";
import { SidebarView } from "./sidebar_view";

const kToastMs = 5_000;

/** Puts the views together and follows the address: `#/room/<id>` is the open room. */
class Page {
  private readonly session = new Session();
  private readonly root = h("div", { class: "page" });
  private app: App | undefined;
  private sidebar: SidebarView | undefined;
  private connection: ConnectionView | undefined;
  private room: RoomView | undefined;
  private readonly main = h("div", { class: "main" });

  async start(): Promise<void> {
    apply_settings();
    document.body.append(this.root);
    window.addEventListener("hashchange", () => void this.follow_address());
    document.addEventListener(
      "keydown",
      (event) => event.key === "Escape" && this.room?.element.classList.remove("people-open"),
    );
    if (await this.session.restore().catch(() => this.session.me !== undefined)) await this.enter();
    else this.show_door();
  }

  private show_door(notice?: string): void {
    this.app?.end();
    this.app = undefined;
    document.title = "Parley";
    replace(
      this.root,
      auth_view(
        this.session,
        notice,
        () => void this.enter(),
        () => this.show_door(),
      ),
    );
    this.root.querySelector<HTMLElement>("input")?.focus();
  }

  private async enter(): Promise<void> {
    const app = new App(this.session);
    this.app = app;
    app.on_change = (topics) => this.sync(topics);
    app.on_expired = () => {
      this.session.forget();
      this.show_door(t("log_in_again"));
    };
    app.on_room_ended = (room, error) => {
      this.toast(
        `${room.info.name}: ${error.code === "CHAT_FORBIDDEN" ? t("room_ended") : error_text(error.code, error.message)}`,
      );
      if (room_of_address() === room.info.roomId) this.go(undefined);
    };
    this.build();
    await app.start();
    if (this.app === app) await this.follow_address();
  }

  /** Everything anew, for instance in another language; what is known and the connection stay. */
  private build(): void {
    const { app } = this;
    if (!app) return;
    this.sidebar = new SidebarView(app, {
      create: () => create_room_dialog(async (room) => this.go(await app.create_room(room))),
      join_by_id: () =>
        join_dialog(async (id) => {
          await app.join(id);
          this.go(id);
        }),
      log_out: () => void this.log_out(),
      rebuild: () => this.build(),
    });
    this.connection = new ConnectionView(() => app.client.retry_now());
    this.connection.sync(app.connection);
    replace(
      this.root,
      skip_link(),
      h(
        "div",
        { class: "shell" },
        this.sidebar.element,
        h("main", { class: "stage" }, this.connection.element, this.main),
      ),
    );
    this.sidebar.sync();
    this.room = undefined;
    this.show_room();
  }

  private sync(topics: Set<Topic>): void {
    const { app } = this;
    if (!app) return;
    if (topics.has("rooms")) {
      this.sidebar?.sync();
      document.title = `${app.unread > 0 ? `(${app.unread}) ` : ""}${app.active ? `${app.active.info.name} · ` : ""}Parley`;
    }
    if (topics.has("connection")) this.connection?.sync(app.connection);
    if (this.room?.room !== app.active) this.show_room();
    else this.room?.sync(topics);
  }

  private show_room(): void {
    const { app } = this;
    if (!app) return;
    document.body.classList.toggle("room-open", app.active !== undefined);
    this.room =
      app.active &&
      new RoomView(app, app.active, {
        invite: (room) => invite_dialog(room, location.href, (name) => app.invite(room, name)),
        kick: (room, member) => kick_dialog(room, member, () => app.kick(room, member.memberId)),
        set_visibility: (room, visibility) =>
          visibility_dialog(room, visibility, () => app.set_visibility(room, visibility)),
        leave: (room) =>
          leave_dialog(room, async () => {
            await app.leave(room);
            this.go(undefined);
          }),
        join: async (room) => {
          try {
            await app.join(room.info.roomId);
          } catch (error) {
            this.toast(explain(error));
          }
        },
      });
    replace(this.main, this.room?.element ?? nothing_open());
    this.room?.opened();
  }

  private go(room_id: string | undefined): void {
    location.hash = room_id === undefined ? "#/" : `#/room/${encodeURIComponent(room_id)}`;
  }

  private async follow_address(): Promise<void> {
    const { app } = this;
    if (!app) return;
    const id = room_of_address();
    if (id === undefined) return app.close_active();
    try {
      await app.open(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.toast(error.status === 404 ? t("e_CHAT_ROOM_NOT_FOUND") : explain(error));
      if (room_of_address() === id) this.go(undefined);
    }
  }

  private async log_out(): Promise<void> {
    this.app?.end();
    await this.session.log_out();
    history.replaceState(null, "", location.pathname + location.search);
    this.show_door();
  }

  private toast(text: string): void {
    const toast = h(
      "div",
      { class: "toast", role: "alert", "data-testid": "toast" },
      icon("alert"),
      h("span", {}, text),
    );
    document.querySelector(".toast")?.remove();
    document.body.append(toast);
    window.setTimeout(() => toast.remove(), kToastMs);
  }
}

function room_of_address(): string | undefined {
  return /^#\/room\/([A-Za-z0-9_.~-]+)$/.exec(location.hash)?.[1]; // room ids need no escapes
}

function nothing_open(): HTMLElement {
  return h("div", { class: "nothing" }, icon("d20"), h("h2", {}, t("pick_room")), h("p", {}, t("pick_room_hint")));
}

void new Page().start();
