import { h, icon_button, IconName } from "./dom";
import { Key, language, set_language, t } from "./i18n";

type Theme = "auto" | "light" | "dark";

const kTheme = "parley.theme";
const kNext: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const kIcon: Record<Theme, IconName> = { auto: "auto", light: "sun", dark: "moon" };
const kLabel: Record<Theme, Key> = { auto: "theme_auto", light: "theme_light", dark: "theme_dark" };

function theme(): Theme {
  const stored = localStorage.getItem(kTheme);
  return stored === "light" || stored === "dark" ? stored : "auto";
}

/** Puts the chosen theme and language on the document. */
export function apply_settings(): void {
  document.documentElement.dataset["theme"] = theme();
  document.documentElement.lang = language();
}

/** Language and theme switches; `rebuild` draws the page anew. */
export function settings_buttons(rebuild: () => void): HTMLElement[] {
  const speak = (): void => {
    set_language(language() === "ko" ? "en" : "ko");
    apply_settings();
    rebuild();
  };
  const paint = (): void => {
    localStorage.setItem(kTheme, kNext[theme()]);
    apply_settings();
    rebuild();
  };
  const label = t("switch_language");
  return [
    h(
      "button",
      {
        type: "button",
        class: "icon-button text-icon",
        "aria-label": label,
        title: label,
        "data-testid": "switch-language",
        on_click: speak,
      },
      language() === "ko" ? "EN" : "한",
    ),
    icon_button(kIcon[theme()], t(kLabel[theme()]), paint, { "data-testid": "switch-theme" }),
  ];
}
