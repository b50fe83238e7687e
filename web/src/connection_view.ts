import type { ConnectionState } from "../../clients/js/src/index";
import { h, replace } from "./dom";
import { Key, t } from "./i18n";

const kBackOnlineMs = 2_500;

/** A bar that is there only when something is the matter, and says so once it is well again. */
export class ConnectionView {
  readonly element: HTMLElement;
  private countdown: number | undefined;
  private had_trouble = false;

  constructor(private readonly reconnect: () => void) {
    this.element = h("div", { class: "connection", role: "status", "data-testid": "connection-state" });
  }

  sync(state: ConnectionState): void {
    window.clearInterval(this.countdown);
    this.element.dataset["state"] = state.kind;
    if (state.kind === "waiting" || state.kind === "stopped") this.had_trouble = true;
    this.element.classList.toggle("trouble", this.had_trouble && state.kind !== "online");
    this.element.classList.remove("recovered");
    if (state.kind === "online") return this.well();
    if (state.kind === "stopped") return this.show(t(`stopped_${state.reason}` as Key), t("reconnect"));
    if (state.kind !== "waiting") return this.show(this.had_trouble ? t("reconnecting") : t("connecting"));
    const rest = h("span", { class: "countdown", "aria-hidden": "true" });
    const tick = (): void =>
      void (rest.textContent = t("retry_in", { s: Math.max(1, Math.ceil((state.retry_at - Date.now()) / 1000)) }));
    this.show(t("reconnecting"), t("retry_now"), rest);
    tick();
    this.countdown = window.setInterval(tick, 500);
  }

  private well(): void {
    replace(this.element, h("span", {}, t(this.had_trouble ? "back_online" : "online")));
    if (!this.had_trouble) return;
    this.had_trouble = false;
    this.element.classList.add("recovered");
    window.setTimeout(() => this.element.classList.remove("recovered"), kBackOnlineMs);
  }

  private show(text: string, button?: string, extra?: HTMLElement): void {
    const act =
      button &&
      h(
        "button",
        { type: "button", class: "link-button", "data-testid": "reconnect", on_click: this.reconnect },
        button,
      );
    replace(this.element, h("span", {}, text), extra, act || undefined);
  }
}
