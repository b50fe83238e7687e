import { ApiError } from "./api";
import { h, icon, set_text } from "./dom";
import { error_text, t } from "./i18n";
import { settings_buttons } from "./settings";
import type { Session } from "./session";

/** The door: log in or make an account. Calls `entered` once somebody is logged in. */
export function auth_view(
  session: Session,
  notice: string | undefined,
  entered: () => void,
  rebuild: () => void,
): HTMLElement {
  let registering = false;
  const name = field("login-name", t("name"), {
    autocomplete: "username",
    maxlength: 64,
    autocapitalize: "none",
    spellcheck: "false",
  });
  const nickname = field(
    "login-nickname",
    t("nickname"),
    { autocomplete: "nickname", maxlength: 40 },
    t("nickname_hint"),
  );
  const password = field("login-password", t("password"), { type: "password", minlength: 1, maxlength: 256 });
  const problem = h("p", { class: "form-problem", role: "alert", "data-testid": "login-error" }, notice);
  const submit = h("button", { type: "submit", class: "button primary wide", "data-testid": "login-submit" });
  const toggle = h("button", {
    type: "button",
    class: "link-button",
    "data-testid": "register-toggle",
    on_click: () => show(!registering),
  });
  const form = h(
    "form",
    {
      class: "auth-form",
      novalidate: true,
      on_submit: (event: Event) => {
        event.preventDefault();
        void enter();
      },
    },
    name.row,
    nickname.row,
    password.row,
    problem,
    submit,
    toggle,
  );

  function show(register: boolean): void {
    registering = register;
    nickname.row.hidden = !register;
    password.input.autocomplete = register ? "new-password" : "current-password";
    set_text(submit, t(register ? "register" : "log_in"));
    set_text(toggle, t(register ? "to_log_in" : "to_register"));
  }

  async function enter(): Promise<void> {
    const who = name.input.value.trim();
    const missing = [name, ...(registering ? [nickname] : []), password].find((f) => f.input.value.trim() === "");
    if (missing) return missing.input.focus();
    submit.disabled = true;
    set_text(problem, "");
    try {
      if (registering) await session.api.register(who, password.input.value, nickname.input.value.trim());
      await session.log_in(who, password.input.value);
      entered();
    } catch (error) {
      set_text(problem, explain(error, registering));
      (registering ? name : password).input.select();
    } finally {
      submit.disabled = false;
    }
  }

  show(false);
  return h(
    "main",
    { class: "auth" },
    h("div", { class: "auth-settings" }, ...settings_buttons(rebuild)),
    h(
      "div",
      { class: "auth-card" },
      h("div", { class: "brand brand-large" }, icon("d20"), h("h1", {}, "Parley")),
      h("p", { class: "tagline" }, t("tagline")),
      form,
    ),
  );
}

export function field(
  testid: string,
  label: string,
  attributes: Record<string, string | number | boolean>,
  hint?: string,
): { row: HTMLElement; input: HTMLInputElement } {
  const hint_id = `${testid}-hint`;
  const input = h("input", {
    id: testid,
    "data-testid": testid,
    "aria-describedby": hint ? hint_id : undefined,
    ...attributes,
  });
  const row = h(
    "div",
    { class: "field" },
    h("label", { for: testid }, label),
    input,
    hint ? h("p", { class: "hint", id: hint_id }, hint) : undefined,
  );
  return { row, input };
}

export function explain(error: unknown, registering = false): string {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) return t("e_network");
  if (error.status === 401) return t("e_login");
  if (error.status === 409 && registering) return t("e_name_taken");
  return error_text(error.code, error.message);
}
