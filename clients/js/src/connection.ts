import { encode_frame, Frame, FrameError, FrameReader } from "./frame";
import type { Clock, Socket, Timer } from "./types";

/** Time from opening the socket to CONNECTED; the server itself allows 10 s for each step. */
const kConnectLimitMs = 15_000;
/** How much later than agreed a heart-beat may come. */
const kHeartbeatGrace = 2;

export interface ConnectionHandlers {
  on_connected(headers: Record<string, string>): void;
  on_frame(frame: Frame): void;
  /** Called once, last. 1006 also stands for "gave up waiting". */
  on_closed(code: number, reason: string): void;
}

/**
 * One socket's life: CONNECT, heart-beats both ways, frames in and out, one closing.
 * After close() or on_closed no handler is called again.
 */
export class Connection {
  private readonly reader = new FrameReader();
  private connected = false;
  private done = false;
  private last_heard: number;
  private deadline: Timer | undefined;
  private beat: Timer | undefined;
  private watch: Timer | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly clock: Clock,
    private readonly heartbeat_ms: number,
    private readonly handlers: ConnectionHandlers,
  ) {
    this.last_heard = clock.now();
    this.deadline = clock.after(kConnectLimitMs, () => this.finish(1006, "no CONNECTED in time"));
    socket.onopen = () => {
      const beat = String(heartbeat_ms);
      this.send("CONNECT", { "accept-version": "1.2,1.1", "heart-beat": `${beat},${beat}` });
    };
    socket.onmessage = (event: { data: unknown }) => this.receive(event.data);
    socket.onclose = (event: { code: number; reason: string }) => this.finish(event.code, event.reason);
  }

  send(command: string, headers: Record<string, string>, body = ""): void {
    if (!this.done) this.socket.send(encode_frame(command, headers, body));
  }

  /** Ends quietly: on_closed is not called. */
  close(): void {
    if (this.connected) this.send("DISCONNECT", {});
    this.release();
    this.socket.close(1000);
  }

  /** Ends as a failure, without waiting for a peer that may be gone. */
  abandon(reason: string): void {
    this.finish(1006, reason);
  }

  private receive(data: unknown): void {
    this.last_heard = this.clock.now();
    try {
      const text = typeof data === "string" ? data : new TextDecoder().decode(data as ArrayBuffer);
      for (const frame of this.reader.push(text)) {
        if (this.done) return;
        if (frame.command === "CONNECTED" && !this.connected) this.begin(frame);
        else this.handlers.on_frame(frame);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.finish(1002, error.message);
    }
  }

  private begin(frame: Frame): void {
    this.connected = true;
    this.deadline?.cancel();
    const [theirs = 0, wanted = 0] = (frame.headers["heart-beat"] ?? "0,0").split(",").map(Number);
    if (wanted > 0) this.keep_beating(Math.max(this.heartbeat_ms, wanted));
    if (theirs > 0) this.keep_watch(Math.max(this.heartbeat_ms, theirs) * kHeartbeatGrace);
    this.handlers.on_connected(frame.headers);
  }

  private keep_beating(every_ms: number): void {
    this.beat = this.clock.after(every_ms, () => {
      this.socket.send("\n");
      this.keep_beating(every_ms);
    });
  }

  private keep_watch(limit_ms: number): void {
    const left = this.last_heard + limit_ms - this.clock.now();
    if (left <= 0) return this.finish(1006, "nothing heard");
    this.watch = this.clock.after(left, () => this.keep_watch(limit_ms));
  }

  private finish(code: number, reason: string): void {
    if (this.done) return;
    this.release();
    this.socket.close();
    this.handlers.on_closed(code, reason);
  }

  private release(): void {
    this.done = true;
    this.deadline?.cancel();
    this.beat?.cancel();
    this.watch?.cancel();
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
  }
}
