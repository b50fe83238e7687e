import { roll } from "./dice";
import { h, icon_button, set_text } from "./dom";
import { t } from "./i18n";
import type { RoomState } from "./room_state";

const kDice = [4, 6, 8, 10, 12, 20, 100];

export interface ComposerActions {
  /** False: too long. */
  send(content: string): boolean;
  typing(): void;
}

/** Where a message is written. Keeps a draft per room; understands `/roll`. */
export class Composer {
  readonly element: HTMLElement;
  private readonly input: HTMLTextAreaElement;
  private readonly problem = h("span", { class: "composer-problem", role: "alert" });
  private readonly typists = h("span", { class: "typists", "aria-live": "polite", "data-testid": "typing" });
  private readonly tray: HTMLElement;
  private readonly submit: HTMLButtonElement;

  constructor(
    private readonly room: RoomState,
    private readonly actions: ComposerActions,
  ) {
    const label = t("message_to", { room: room.info.name });
    this.input = h("textarea", {
      id: "message-input",
      "data-testid": "message-input",
      rows: 1,
      placeholder: label,
      "aria-label": label,
      enterkeyhint: "send",
      on_input: () => this.edited(),
      on_keydown: (event: KeyboardEvent) => this.key(event),
    });
    this.input.value = room.draft;
    const dice = kDice.map((sides) =>
      h(
        "button",
        { type: "button", class: "die", "data-testid": `roll-d${sides}`, on_click: () => this.throw_die(sides) },
        `d${sides}`,
      ),
    );
    this.tray = h("div", { class: "dice-tray", role: "group", "aria-label": t("roll_dice"), hidden: true }, ...dice);
    const toggle = icon_button("d20", t("roll_dice"), () => this.toggle_tray(toggle), {
      "aria-expanded": "false",
      "data-testid": "dice",
    });
    this.submit = icon_button("send", t("send"), () => this.commit(), {
      class: "icon-button send",
      "data-testid": "message-send",
    });
    this.element = h(
      "div",
      { class: "composer" },
      this.tray,
      h("div", { class: "composer-box" }, toggle, this.input, this.submit),
      h(
        "div",
        { class: "composer-foot" },
        this.typists,
        this.problem,
        h("span", { class: "composer-hint" }, t("hint")),
      ),
    );
    this.fit();
  }

  focus(): void {
    this.input.focus();
  }

  /** To be called once the element is in the page. */
  fit(): void {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 220)}px`;
    this.submit.classList.toggle("ready", this.input.value.trim() !== "");
  }

  show_typists(names: string[]): void {
    const [a = "", b = ""] = names;
    const text =
      names.length === 0
        ? ""
        : names.length === 1
          ? t("typing_1", { a })
          : names.length === 2
            ? t("typing_2", { a, b })
            : t("typing_n");
    set_text(this.typists, text);
    this.element.classList.toggle("somebody-types", names.length > 0);
  }

  private edited(): void {
    this.room.draft = this.input.value;
    set_text(this.problem, "");
    this.fit();
    if (this.input.value.trim() !== "" && !this.input.value.startsWith("/")) this.actions.typing();
  }

  private key(event: KeyboardEvent): void {
    // 229: the key belongs to an input method that is still composing a syllable.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.commit();
  }

  private commit(): void {
    const text = this.input.value;
    if (text.trim() === "") return;
    const command = /^\/(?:roll|r)(?:\s+(.*))?$/is.exec(text.trim());
    const content = command ? roll(command[1] ?? "d20") : text.replace(/\u0000/g, "");
    if (content === undefined) return set_text(this.problem, t("bad_roll"));
    if (!this.actions.send(content)) return set_text(this.problem, t("too_long"));
    this.input.value = this.room.draft = "";
    set_text(this.problem, "");
    this.fit();
    this.focus();
  }

  private throw_die(sides: number): void {
    this.actions.send(roll(`1d${sides}`) ?? "");
    this.focus();
  }

  private toggle_tray(button: HTMLElement): void {
    this.tray.hidden = !this.tray.hidden;
    button.setAttribute("aria-expanded", String(!this.tray.hidden));
  }
}

export function skip_link(): HTMLElement {
  const go = (event: Event): void => {
    event.preventDefault();
    document.getElementById("message-input")?.focus();
  };
  return h("a", { class: "skip", href: "#message-input", on_click: go }, t("skip"));
}
