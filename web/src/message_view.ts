/** One line of the conversation as elements. */
import type { ChatMessage, Outgoing, SendState } from "../../clients/js/src/index";
import { read_roll } from "./dice";
import { Child, h, icon, replace } from "./dom";
import { blocks, hue, initials, is_emoji_only, split_links } from "./format";
import { error_text, full_time, Key, t, time_of } from "./i18n";

/** Longer than this is folded. */
const kFoldAfterChars = 1_200;
const kFoldAfterLines = 16;

export function avatar(id: string, name: string, extra = ""): HTMLElement {
  const element = h("span", { class: `avatar ${extra}`, "aria-hidden": "true" }, initials(name));
  element.style.setProperty("--hue", String(hue(id)));
  return element;
}

export interface Line {
  message_id: string;
  seq: number | undefined;
  sender_id: string;
  nickname: string;
  content: string;
  type: string;
  /** Of SYSTEM records: what happened to whom. */
  event?: string | undefined;
  created_at: string;
}

export function line_of(message: ChatMessage): Line {
  return {
    message_id: message.messageId,
    seq: message.seq,
    sender_id: message.senderId,
    nickname: message.senderNickname,
    content: message.content,
    type: message.type,
    event: message.event,
    created_at: message.createdAt,
  };
}

/** A row that can be joined to the one before it and change its state. */
export interface Row {
  element: HTMLLIElement;
  line: Line;
  state: SendState;
}

export function make_row(line: Line, mine: boolean): Row {
  if (line.type === "JOIN" || line.type === "LEAVE" || line.type === "SYSTEM") return system_row(line);
  const name = line.nickname || line.sender_id;
  const element = h(
    "li",
    {
      class: mine ? "message mine" : "message",
      "data-testid": "message",
      "data-seq": line.seq,
      "data-message-id": line.message_id,
    },
    avatar(line.sender_id, name),
    h(
      "div",
      { class: "message-main" },
      h("div", { class: "message-head" }, nickname(line.sender_id, name), time(line)),
      h("div", { class: "message-body" }, ...body(line.content)),
    ),
    h("div", { class: "message-status" }),
  );
  return { element, line, state: "sent" };
}

function nickname(id: string, name: string): HTMLElement {
  const element = h("span", { class: "nickname" }, name);
  element.style.setProperty("--hue", String(hue(id)));
  return element;
}

function time(line: Line): HTMLElement {
  return h(
    "time",
    { class: "time", datetime: line.created_at, title: full_time(line.created_at) },
    time_of(line.created_at),
  );
}

const kSystemTexts: Record<string, Key> = {
  JOIN: "joined",
  LEAVE: "left",
  JOINED: "became_member",
  LEFT: "ended_member",
  MADE_PRIVATE: "made_private",
  MADE_PUBLIC: "made_public",
};

function system_row(line: Line): Row {
  const name = line.nickname || line.sender_id;
  const key = kSystemTexts[line.type === "SYSTEM" ? (line.event ?? "") : line.type];
  const text = key ? t(key, { name }) : line.content;
  const element = h(
    "li",
    { class: "system", "data-testid": "system-message", "data-seq": line.seq, "data-type": line.type },
    h("span", { class: "system-text" }, text),
    time(line),
  );
  return { element, line, state: "sent" };
}

function body(content: string): Child[] {
  const roll = read_roll(content);
  if (roll) {
    return [
      h(
        "div",
        { class: "roll" },
        icon("d20"),
        h("span", { class: "visually-hidden" }, "🎲 "),
        h("span", { class: "roll-dice" }, roll.dice),
        h("span", { class: "visually-hidden" }, " = "),
        h("strong", { class: "roll-total" }, roll.total),
        h("span", { class: "visually-hidden" }, " "),
        h("span", { class: "roll-detail" }, roll.detail),
      ),
    ];
  }
  if (is_emoji_only(content)) return [h("p", { class: "big-emoji" }, content)];
  const parts = blocks(content).map(({ quote, text }) => h(quote ? "blockquote" : "p", {}, ...linked(text)));
  const long = content.length > kFoldAfterChars || content.split("\n").length > kFoldAfterLines;
  return long ? [folded(parts)] : parts;
}

function linked(text: string): Child[] {
  return split_links(text).map((part) =>
    part.kind === "link"
      ? h("a", { href: part.href, target: "_blank", rel: "noopener noreferrer nofollow" }, part.text)
      : part.text,
  );
}

function folded(parts: HTMLElement[]): HTMLElement {
  const inner = h("div", { class: "fold" }, ...parts);
  const button: HTMLButtonElement = h(
    "button",
    {
      type: "button",
      class: "link-button",
      "aria-expanded": "false",
      on_click: () => {
        const open = inner.classList.toggle("open");
        button.textContent = t(open ? "show_less" : "show_more");
        button.setAttribute("aria-expanded", String(open));
      },
    },
    t("show_more"),
  );
  return h("div", {}, inner, button);
}

export interface RowActions {
  retry(out: Outgoing): void;
  discard(out: Outgoing): void;
}

/** Shows how far a message of ours has come. */
export function show_state(row: Row, state: SendState, out: Outgoing | undefined, actions: RowActions): void {
  const slot = row.element.querySelector(".message-status");
  if (!slot || (row.element.dataset["state"] === state && state !== "failed")) return;
  row.state = state;
  row.element.dataset["state"] = state;
  if (state === "sending")
    replace(slot, h("span", { class: "spinner", "aria-hidden": "true" }), h("span", {}, t("sending")));
  else if (state === "sent") replace(slot, icon("check"), h("span", { class: "visually-hidden" }, t("sent")));
  else if (out) replace(slot, ...failure(out, actions));
}

function failure(out: Outgoing, actions: RowActions): Child[] {
  return [
    icon("alert"),
    h("span", {}, `${t("failed")} — ${error_text(out.error?.code ?? "", out.error?.message ?? "")}`),
    h(
      "button",
      { type: "button", class: "link-button", "data-testid": "message-retry", on_click: () => actions.retry(out) },
      t("retry"),
    ),
    h(
      "button",
      { type: "button", class: "link-button", "data-testid": "message-discard", on_click: () => actions.discard(out) },
      t("discard"),
    ),
  ];
}
