/** Names, dates and the little that is recognised inside a message. Pure. */

/** One or two characters that stand for a name: initials, or the first syllable of a Korean one. */
export function initials(name: string): string {
  const words = name
    .trim()
    .split(/\s+/u)
    .filter((word) => word !== "");
  const first = [...(words[0] ?? "?")];
  if (words.length > 1 && /^[\p{Script=Latin}]/u.test(name.trim())) {
    return ((first[0] ?? "") + ([...(words[words.length - 1] ?? "")][0] ?? "")).toUpperCase();
  }
  return (first[0] ?? "?").toUpperCase();
}

/** 0–359, the same for the same id everywhere, far apart for ids that differ little (FNV-1a, then mixed). */
export function hue(id: string): number {
  let hash = 0x811c9dc5;
  for (const c of id) hash = Math.imul(hash ^ (c.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 360;
}

/** Local calendar day, for separators. */
export function day_key(iso: string): string {
  const date = new Date(iso);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

export type Part = { kind: "text"; text: string } | { kind: "link"; text: string; href: string };

const kLink = /https?:\/\/[^\s<>"'`]+/g;

/** Splits a line into text and http(s) links; joined again it is the line unchanged. */
export function split_links(line: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of line.matchAll(kLink)) {
    const href = (match[0] ?? "").replace(/[.,;:!?)\]}]+$/, "");
    const start = match.index ?? 0;
    if (!is_url(href)) continue;
    if (start > at) parts.push({ kind: "text", text: line.slice(at, start) });
    parts.push({ kind: "link", text: href, href });
    at = start + href.length;
  }
  if (at < line.length) parts.push({ kind: "text", text: line.slice(at) });
  return parts;
}

function is_url(text: string): boolean {
  try {
    return new URL(text).hostname !== "";
  } catch {
    return false;
  }
}

/** Up to eight emoji and nothing else: shown large. */
export function is_emoji_only(content: string): boolean {
  return (
    content.length <= 80 &&
    /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D|\p{Emoji_Modifier}|\p{Extended_Pictographic})*\s?){1,8}$/u.test(
      content,
    )
  );
}

export interface Block {
  quote: boolean;
  text: string;
}

/** Runs of lines that begin with `> ` are quotes. */
export function blocks(content: string): Block[] {
  const out: Block[] = [];
  for (const line of content.split("\n")) {
    const quote = /^>\s?/.test(line);
    const text = quote ? line.replace(/^>\s?/, "") : line;
    const last = out[out.length - 1];
    if (last && last.quote === quote) last.text += "\n" + text;
    else out.push({ quote, text });
  }
  return out;
}
