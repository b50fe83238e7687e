import type { Outgoing } from "../../clients/js/src/index";
import { h, icon, replace, set_text } from "./dom";
import { day_key, hue, initials } from "./format";
import { day_of, t } from "./i18n";
import { Line, line_of, make_row, Row, RowActions, show_state } from "./message_view";
import type { RoomState } from "./room_state";

/** Lines of one person within this time stand under one name. */
const kTogetherMs = 5 * 60_000;
/** So near the bottom counts as reading the newest. */
const kAtBottomPx = 60;
const kLoadOlderPx = 500;

export interface ListActions extends RowActions {
  older(): void;
  saw_newest(): void;
}

/**
 * The scrolling conversation. sync() brings the elements to what the room holds, touching only what
 * differs: pages in front keep the scroll position, new lines follow only a reader at the bottom.
 */
export class MessageList {
  readonly element: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly list: HTMLOListElement;
  private readonly top: HTMLElement;
  private readonly jump: HTMLButtonElement;
  private readonly jump_text = h("span");
  private rows: Row[] = [];
  private pending = new Map<string, Row>();
  private at_bottom = true;
  private unseen = 0;
  private placed = false;
  private shown_mark: number | undefined;
  private life: number;

  constructor(
    private readonly room: RoomState,
    private readonly me: { id: string; nickname: string },
    private readonly actions: ListActions,
  ) {
    this.life = room.life;
    this.top = h("div", { class: "list-top" });
    this.list = h("ol", { class: "messages", "data-testid": "message-list" });
    this.scroller = h(
      "div",
      { class: "scroller", role: "log", "aria-label": room.info.name, tabindex: 0, on_scroll: () => this.scrolled() },
      this.top,
      this.list,
    );
    this.jump = h(
      "button",
      { type: "button", class: "jump", hidden: true, on_click: () => this.to_bottom() },
      icon("down"),
      this.jump_text,
    );
    this.element = h("div", { class: "list" }, this.scroller, this.jump);
    new ResizeObserver(() => this.at_bottom && this.to_bottom()).observe(this.scroller);
  }

  sync(): void {
    this.scroller.setAttribute("aria-busy", String(this.room.readable && !this.room.live));
    if (this.life !== this.room.life) this.clear();
    if (this.at_bottom && this.room.is_long) this.drop_front();
    const anchor = this.at_bottom ? undefined : this.first_visible();
    const stood_at = anchor?.element.offsetTop ?? 0;
    this.sync_older();
    this.sync_newer();
    this.sync_pending();
    this.sync_top();
    if (anchor?.element.isConnected) this.scroller.scrollTop += anchor.element.offsetTop - stood_at;
    if (this.shown_mark !== this.room.new_after) this.move_mark();
    if (!this.placed && this.has_newest()) this.place();
    else if (this.at_bottom) this.to_bottom();
    this.sync_jump();
    if (this.placed && this.at_bottom) this.actions.saw_newest();
  }

  to_bottom(): void {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.at_bottom = true;
    this.unseen = 0;
    this.sync_jump();
  }

  /** What the reader looks at, and must keep looking at. */
  private first_visible(): Row | undefined {
    const top = this.scroller.scrollTop;
    return this.rows.find((row) => row.element.offsetTop + row.element.offsetHeight > top);
  }

  /** A reader of the newest lines does not need all the others as elements. */
  private drop_front(): void {
    this.room.trim();
    const first = this.room.first_seq ?? 0;
    const gone = this.rows.filter((row) => (row.line.seq ?? 0) < first);
    this.rows = this.rows.slice(gone.length);
    for (const row of gone) {
      this.drop_separators(row);
      row.element.remove();
    }
    if (this.rows[0]) this.join(this.rows[0], undefined);
  }

  private clear(): void {
    this.life = this.room.life;
    this.rows = [];
    this.pending.clear();
    this.list.replaceChildren();
    this.placed = false;
  }

  private sync_older(): void {
    const shown_first = this.rows[0]?.line.seq;
    if (shown_first === undefined) return;
    const older = this.room.messages.slice(
      0,
      this.room.messages.findIndex((m) => m.seq >= shown_first),
    );
    if (older.length === 0) return;
    const fresh = older.map((message) => this.row(line_of(message)));
    const anchor = this.rows[0];
    this.rows = [...fresh, ...this.rows];
    this.list.prepend(...fresh.map((row) => row.element));
    fresh.forEach((row, i) => this.join(row, fresh[i - 1]));
    if (anchor) this.join(anchor, fresh[fresh.length - 1]);
  }

  private sync_newer(): void {
    const shown_last = this.rows[this.rows.length - 1]?.line.seq ?? 0;
    const all = this.room.messages;
    let from = all.length;
    while (from > 0 && (all[from - 1]?.seq ?? 0) > shown_last) from--;
    for (const message of all.slice(from)) {
      const line = line_of(message);
      const mine = message.senderId === this.me.id ? this.pending.get(message.messageId) : undefined;
      if (mine) this.remove_pending(mine);
      const row = this.row(line);
      const before = this.rows[this.rows.length - 1];
      this.rows.push(row);
      const first_pending = [...this.pending.values()][0]?.element;
      this.list.insertBefore(row.element, first_pending ? this.head_of(first_pending) : null);
      this.join(row, before);
      if (this.placed && !this.at_bottom && message.senderId !== this.me.id) this.unseen++;
    }
  }

  private sync_pending(): void {
    const wanted = new Set(this.room.pending.map((out) => out.message_id));
    for (const row of [...this.pending.values()]) if (!wanted.has(row.line.message_id)) this.remove_pending(row);
    let before = this.rows[this.rows.length - 1];
    for (const out of this.room.pending) {
      let row = this.pending.get(out.message_id);
      if (!row) {
        row = make_row(this.line_of_ours(out), true);
        this.pending.set(out.message_id, row);
        this.list.append(row.element);
        this.at_bottom = true;
      }
      show_state(row, out.state, out, this.actions);
      this.join(row, before);
      before = row;
    }
    for (const row of this.rows) {
      if (row.line.sender_id !== this.me.id || (row.state === "sent" && row.element.dataset["state"])) continue;
      const out = this.room.unconfirmed.get(row.line.message_id);
      show_state(row, out?.state ?? "sent", out, this.actions);
    }
  }

  private row(line: Line): Row {
    const row = make_row(line, line.sender_id === this.me.id);
    const out = this.room.unconfirmed.get(line.message_id);
    if (row.line.sender_id !== this.me.id) row.element.dataset["state"] = "sent";
    else show_state(row, out?.state ?? "sent", out, this.actions);
    return row;
  }

  private remove_pending(row: Row): void {
    this.pending.delete(row.line.message_id);
    this.drop_separators(row);
    row.element.remove();
  }

  private line_of_ours(out: Outgoing): Line {
    return {
      message_id: out.message_id,
      seq: undefined,
      sender_id: this.me.id,
      nickname: this.me.nickname,
      content: out.content,
      type: "TALK",
      created_at: new Date().toISOString(),
    };
  }

  /** Day and "new" separators before a row, and whether it stands under the name of the one before. */
  private join(row: Row, before: Row | undefined): void {
    this.drop_separators(row);
    const new_day = !before || day_key(before.line.created_at) !== day_key(row.line.created_at);
    const after = this.room.new_after;
    const first_new =
      after !== undefined && row.line.seq !== undefined && row.line.seq > after && (before?.line.seq ?? after) <= after;
    const missing = before?.line.seq !== undefined && row.line.seq !== undefined && row.line.seq > before.line.seq + 1;
    const together =
      !missing &&
      !new_day &&
      !first_new &&
      before !== undefined &&
      before.element.classList.contains("message") &&
      before.line.sender_id === row.line.sender_id &&
      Date.parse(row.line.created_at) - Date.parse(before.line.created_at) < kTogetherMs;
    row.element.classList.toggle("together", together);
    if (new_day) row.element.before(separator("day", day_of(row.line.created_at)));
    if (missing) row.element.before(separator("missing", t("missing")));
    if (first_new) row.element.before(separator("new", t("new_messages")));
  }

  private move_mark(): void {
    this.shown_mark = this.room.new_after;
    this.rows.forEach((row, i) => this.join(row, this.rows[i - 1]));
    this.placed = false;
  }

  private has_newest(): boolean {
    return this.room.live && (this.room.last?.seq ?? 0) >= this.room.head_seq;
  }

  /** The first separator that belongs to the row, else the row. */
  private head_of(element: Element): Element {
    let head = element;
    while (head.previousElementSibling?.classList.contains("separator")) head = head.previousElementSibling;
    return head;
  }

  private drop_separators(row: Row): void {
    while (row.element.previousElementSibling?.classList.contains("separator"))
      row.element.previousElementSibling.remove();
  }

  /** What stands above the first line: loading, an end, or the room's beginning. */
  private sync_top(): void {
    const { room } = this;
    const kind = room.load_failed
      ? "failed"
      : room.loading
        ? "loading"
        : room.truncated
          ? "truncated"
          : this.is_beginning()
            ? "beginning"
            : "more";
    const shown = `${kind}${room.life > 0 ? " reset" : ""}`;
    if (this.top.dataset["kind"] === shown) return;
    this.top.dataset["kind"] = shown;
    const reset =
      room.life > 0 && h("p", { class: "list-note", "data-testid": "history-reset" }, icon("alert"), t("reset"));
    if (kind === "beginning") replace(this.top, this.beginning(), reset);
    else if (kind === "truncated")
      replace(this.top, h("p", { class: "list-note", "data-testid": "history-truncated" }, t("truncated")), reset);
    else if (kind === "loading")
      replace(this.top, h("p", { class: "list-note" }, h("span", { class: "spinner" }), t("loading")), reset);
    else if (kind === "failed") replace(this.top, this.try_again(), reset);
    else replace(this.top, reset);
  }

  private is_beginning(): boolean {
    return this.room.live && (this.room.complete || (this.room.messages.length === 0 && this.room.head_seq === 0));
  }

  private beginning(): HTMLElement {
    const { info } = this.room;
    const tile = h("span", { class: "tile tile-large", "aria-hidden": "true" }, initials(info.name));
    tile.style.setProperty("--hue", String(hue(info.roomId)));
    return h(
      "div",
      { class: "beginning" },
      tile,
      h("h2", {}, info.name),
      h("p", {}, t("beginning", { room: info.name })),
      h("p", {}, t("beginning_hint")),
    );
  }

  private try_again(): HTMLElement {
    const retry = h(
      "button",
      { type: "button", class: "link-button", on_click: () => this.actions.older() },
      t("retry"),
    );
    return h("p", { class: "list-note" }, icon("alert"), t("history_failed"), retry);
  }

  /** Where a room opens: at the first unread line, else at the end. */
  private place(): void {
    this.placed = true;
    const mark = this.list.querySelector<HTMLElement>(".separator.new");
    const fits = mark && this.scroller.scrollHeight - mark.offsetTop <= this.scroller.clientHeight;
    if (!mark || fits) return this.to_bottom();
    this.scroller.scrollTop = mark.offsetTop - this.scroller.clientHeight / 4;
    this.at_bottom = this.near_bottom();
  }

  private near_bottom(): boolean {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < kAtBottomPx;
  }

  private scrolled(): void {
    this.at_bottom = this.near_bottom();
    if (this.at_bottom) {
      this.unseen = 0;
      this.actions.saw_newest();
    }
    this.sync_jump();
    if (this.scroller.scrollTop < kLoadOlderPx && this.placed && !this.room.load_failed) this.actions.older();
  }

  private sync_jump(): void {
    this.jump.hidden = this.at_bottom;
    set_text(this.jump_text, this.unseen > 0 ? t("new_count", { n: this.unseen }) : t("to_latest"));
  }
}

function separator(kind: "day" | "new" | "missing", text: string): HTMLLIElement {
  return h(
    "li",
    { class: `separator ${kind}`, role: "separator", "data-testid": `separator-${kind}` },
    h("span", {}, text),
  );
}
