/** Makes elements. Text always becomes text nodes; nothing here parses markup. */
export type Child = Node | string | undefined | false;

type Listener = (event: any) => void;

/** `on_click: f` listens; `true` sets an empty attribute; `false` and undefined leave it out. */
export type Attributes = Record<string, string | number | boolean | undefined | Listener>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(3), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element: Element, children: Child[]): void {
  for (const child of children) if (child !== undefined && child !== false) element.append(child);
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** Sets text only when it differs, so that live regions speak once. */
export function set_text(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const kSvg = "http://www.w3.org/2000/svg";

const kIcons = {
  hash: "M10 3 8 21M16 3l-2 18M4 9h17M3 15h17",
  lock: "M6 11h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1zM8 11V7a4 4 0 0 1 8 0v4",
  unlock: "M6 11h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1zM8 11V7a4 4 0 0 1 7.500-2",
  users:
    "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21v-1a6 6 0 0 1 6-6h2a6 6 0 0 1 6 6v1M16 3.5a4 4 0 0 1 0 7M18 14.5a6 6 0 0 1 4 5.5v1",
  invite: "M10 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM3 21v-1a6 6 0 0 1 6-6h2a6 6 0 0 1 4.5 2M19 15v6M16 18h6",
  plus: "M12 5v14M5 12h14",
  enter: "M14 4h5a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1h-5M10 8l4 4-4 4M14 12H3",
  send: "M4 12 20 4l-5 16-3.500-6.500zM11.500 13.500 20 4",
  check: "m5 13 4.500 4.500L19 7",
  back: "m14 5-7 7 7 7",
  down: "m6 10 6 6 6-6",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M4.900 4.900l1.400 1.400M17.700 17.700l1.400 1.400M2 12h2M20 12h2M4.900 19.100l1.400-1.400M17.700 6.300l1.400-1.400",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  auto: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 8h7.500M12 12h9M12 16h8",
  logout: "M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9",
  leave: "M6 21V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v17M3 21h18M14 12v.01",
  crown: "M4 18h16l1.500-10-5.500 4-4-7-4 7-5.500-4z",
  alert: "M12 8v5M12 16.500v.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  d20: "M12 2 21 7v10l-9 5-9-5V7zM12 7.500 17 15.500H7zM12 2v5.500M21 7l-9 .5L3 7M3 17l4-1.500L3 7M21 17l-4-1.500L21 7M7 15.500l5 6.500 5-6.500",
} as const;

export type IconName = keyof typeof kIcons;

export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(kSvg, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(kSvg, "path");
  path.setAttribute("d", kIcons[name]);
  svg.append(path);
  return svg;
}

export function icon_button(
  name: IconName,
  label: string,
  on_click: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, on_click, ...attributes },
    icon(name),
  );
}
