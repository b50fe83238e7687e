import type { Member, Visibility } from "./api";
import { explain, field } from "./auth_view";
import { Child, h, icon, icon_button, IconName, set_text } from "./dom";
import { t } from "./i18n";
import type { RoomState } from "./room_state";

interface DialogParts {
  title: string;
  testid: string;
  submit: string;
  danger?: boolean;
  content: Child[];
  /** Throwing shows the error and keeps the dialog open; so does returning a sentence. */
  on_submit(): Promise<string | void>;
}

/** A modal form: focus stays inside, Escape and the back-drop close it. */
function open_dialog(parts: DialogParts): void {
  const problem = h("p", { class: "form-problem", role: "alert" });
  const note = h("p", { class: "form-note", role: "status" });
  const submit = h(
    "button",
    {
      type: "submit",
      class: parts.danger ? "button danger" : "button primary",
      "data-testid": `${parts.testid}-submit`,
    },
    parts.submit,
  );
  const close = (): void => dialog.close();
  async function run(event: Event): Promise<void> {
    event.preventDefault();
    submit.disabled = true;
    set_text(problem, "");
    set_text(note, "");
    try {
      const said = await parts.on_submit();
      if (said === undefined) close();
      else set_text(note, said);
    } catch (error) {
      set_text(problem, explain(error));
    } finally {
      submit.disabled = false;
    }
  }
  const form = h(
    "form",
    { class: "dialog-form", on_submit: (event: Event) => void run(event) },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id: "dialog-title" }, parts.title),
      icon_button("close", t("close"), close),
    ),
    ...parts.content,
    problem,
    note,
    h(
      "div",
      { class: "dialog-buttons" },
      h("button", { type: "button", class: "button", on_click: close }, t("cancel")),
      submit,
    ),
  );
  const dialog: HTMLDialogElement = h(
    "dialog",
    {
      class: "dialog",
      "aria-labelledby": "dialog-title",
      "data-testid": `${parts.testid}-dialog`,
      on_close: () => dialog.remove(),
    },
    form,
  );
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector<HTMLElement>("input:not([type=radio])") ?? submit).focus();
}

const kRoomId = {
  pattern: "[A-Za-z0-9_.\\-]+",
  maxlength: 120,
  autocapitalize: "none",
  spellcheck: "false",
  autocomplete: "off",
};

export function create_room_dialog(
  create: (room: { roomId?: string; name: string; visibility: string }) => Promise<void>,
): void {
  const name = field("create-room-name", t("room_name"), { required: true, maxlength: 80, autocomplete: "off" });
  const id = field("create-room-id", t("room_id"), kRoomId, t("room_id_hint"));
  const open = choice("public", "hash", t("public"), t("public_hint"), true);
  const closed = choice("private", "lock", t("private"), t("private_hint"), false);
  open_dialog({
    title: t("create_room"),
    testid: "create-room",
    submit: t("create"),
    content: [name.row, h("div", { class: "choices", role: "radiogroup" }, open.row, closed.row), id.row],
    on_submit: () => {
      const visibility = closed.input.checked ? "private" : "public";
      const room_id = id.input.value.trim();
      return create({ name: name.input.value.trim(), visibility, ...(room_id === "" ? {} : { roomId: room_id }) });
    },
  });
}

function choice(
  value: string,
  name: IconName,
  label: string,
  hint: string,
  checked: boolean,
): { row: HTMLElement; input: HTMLInputElement } {
  const input = h("input", {
    type: "radio",
    name: "visibility",
    value,
    checked,
    "data-testid": `create-room-${value}`,
  });
  const row = h(
    "label",
    { class: "choice" },
    input,
    icon(name),
    h("span", { class: "choice-text" }, h("strong", {}, label), h("span", { class: "hint" }, hint)),
  );
  return { row, input };
}

export function join_dialog(join: (room_id: string) => Promise<void>): void {
  const id = field("join-room-id", t("room_id"), { ...kRoomId, required: true });
  open_dialog({
    title: t("join_by_id"),
    testid: "join-by-id",
    submit: t("join"),
    content: [id.row],
    on_submit: () => join(id.input.value.trim()),
  });
}

export function invite_dialog(room: RoomState, link: string, invite: (name: string) => Promise<unknown>): void {
  const name = field("invite-name", t("invite_name"), {
    required: true,
    maxlength: 64,
    autocapitalize: "none",
    spellcheck: "false",
    autocomplete: "off",
  });
  const address = h("input", { id: "invite-link", readonly: true, value: link });
  const copy: HTMLButtonElement = h(
    "button",
    {
      type: "button",
      class: "button",
      on_click: () => {
        address.select();
        void navigator.clipboard.writeText(link).then(() => set_text(copy, t("copied")));
      },
    },
    t("copy"),
  );
  open_dialog({
    title: `${t("invite")} — ${room.info.name}`,
    testid: "invite",
    submit: t("invite"),
    content: [
      name.row,
      h(
        "div",
        { class: "field" },
        h("label", { for: "invite-link" }, t("invite_link")),
        h("div", { class: "with-button" }, address, copy),
      ),
    ],
    on_submit: async () => {
      const who = name.input.value.trim();
      await invite(who);
      name.input.value = "";
      return t("invited", { name: who });
    },
  });
}

export function kick_dialog(room: RoomState, member: Member, kick: () => Promise<unknown>): void {
  const name = member.nickName || member.memberId;
  open_dialog({
    title: t("kick", { name }),
    testid: "kick",
    submit: t("kick_submit"),
    danger: true,
    content: [h("p", {}, t("kick_sure", { name, room: room.info.name }))],
    on_submit: async () => void (await kick()),
  });
}

export function visibility_dialog(room: RoomState, visibility: Visibility, change: () => Promise<void>): void {
  open_dialog({
    title: `${t(`make_${visibility}`)} — ${room.info.name}`,
    testid: "visibility",
    submit: t(`make_${visibility}`),
    content: [h("p", {}, t(`make_${visibility}_sure`))],
    on_submit: change,
  });
}

export function leave_dialog(room: RoomState, leave: () => Promise<void>): void {
  open_dialog({
    title: t("leave"),
    testid: "leave",
    submit: t("leave"),
    danger: true,
    content: [h("p", {}, t("leave_sure", { room: room.info.name }))],
    on_submit: leave,
  });
}
