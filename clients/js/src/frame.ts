/** STOMP 1.2 frames as text: one encoder, one incremental reader. No IO. */

export interface Frame {
  command: string;
  /** The first of repeated headers wins, as STOMP 1.2 says. */
  headers: Record<string, string>;
  body: string;
}

export class FrameError extends Error {}

const kEscapes: Record<string, string> = { "\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c" };
const kUnescapes: Record<string, string> = { "\\\\": "\\", "\\r": "\r", "\\n": "\n", "\\c": ":" };

/** CONNECT and CONNECTED carry their headers raw (STOMP 1.2, "Value Encoding"). */
const is_raw = (command: string): boolean => command === "CONNECT" || command === "CONNECTED";

const escape_header = (text: string): string => text.replace(/[\\\r\n:]/g, (c) => kEscapes[c] ?? c);

function unescape_header(text: string): string {
  return text.replace(/\\.?/gs, (pair) => {
    const plain = kUnescapes[pair];
    if (plain === undefined) throw new FrameError(`undefined escape in header: ${pair}`);
    return plain;
  });
}

const utf8 = new TextEncoder();

export function byte_length(text: string): number {
  return utf8.encode(text).length;
}

export function encode_frame(command: string, headers: Record<string, string>, body = ""): string {
  const escape = is_raw(command) ? (text: string) => text : escape_header;
  let out = command + "\n";
  for (const [name, value] of Object.entries(headers)) out += `${escape(name)}:${escape(value)}\n`;
  if (body !== "") out += `content-length:${byte_length(body)}\n`;
  return `${out}\n${body}\0`;
}

/**
 * Turns what a socket delivers into frames, however it was cut.
 * Line ends between frames are heart-beats and vanish. Fails with FrameError; then the stream is lost.
 */
export class FrameReader {
  private rest = "";

  push(chunk: string): Frame[] {
    this.rest += chunk;
    const frames: Frame[] = [];
    for (;;) {
      this.rest = this.rest.replace(/^[\r\n]+/, "");
      const frame = this.take();
      if (!frame) return frames;
      frames.push(frame);
    }
  }

  private take(): Frame | undefined {
    const blank = /\r?\n\r?\n/.exec(this.rest);
    if (!blank?.[0]) return undefined;
    const [command = "", ...lines] = this.rest.slice(0, blank.index).split(/\r?\n/);
    const headers = parse_headers(command, lines);
    const start = blank.index + blank[0].length;
    const end = body_end(this.rest, start, headers["content-length"]);
    if (end === undefined) return undefined;
    const body = this.rest.slice(start, end);
    this.rest = this.rest.slice(end + 1);
    return { command, headers, body };
  }
}

function parse_headers(command: string, lines: string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 0) throw new FrameError(`header without colon: ${line}`);
    let name = line.slice(0, colon);
    let value = line.slice(colon + 1);
    if (!is_raw(command)) {
      name = unescape_header(name);
      value = unescape_header(value);
    }
    if (!(name in headers)) headers[name] = value;
  }
  return headers;
}

/** Index of the NUL that ends the body, or undefined while it has not come. */
function body_end(text: string, start: number, content_length: string | undefined): number | undefined {
  if (content_length === undefined) {
    const end = text.indexOf("\0", start);
    return end < 0 ? undefined : end;
  }
  if (!/^\d+$/.test(content_length)) throw new FrameError(`bad content-length: ${content_length}`);
  const want = Number(content_length);
  // content-length counts UTF-8 bytes while strings count UTF-16 units: walk code points.
  let bytes = 0;
  let i = start;
  while (bytes < want && i < text.length) {
    const code = text.codePointAt(i) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    i += code < 0x10000 ? 1 : 2;
  }
  if (bytes > want) throw new FrameError("content-length ends inside a character");
  if (bytes < want || i >= text.length) return undefined;
  if (text[i] !== "\0") throw new FrameError("no NUL after content-length bytes");
  return i;
}
