/** What a closed connection means for the next one (docs/protocol.md, "Close codes"). */

export type StopReason = "login" | "forbidden" | "slow" | "replaced" | "rate" | "refused";

export type Verdict =
  | { kind: "retry"; delay_ms: number }
  /** Come back, but with a new token. */
  | { kind: "reauthorise" }
  /** 4400–4499: trying again as we are cannot help; somebody has to decide. */
  | { kind: "stop"; reason: StopReason };

const kFirstDelayMs = 500;
const kLongestDelayMs = 30_000;

const kStops: Record<number, StopReason> = {
  4403: "forbidden",
  4408: "slow",
  4409: "replaced",
  4429: "rate",
};

/** Doubles from half a second to half a minute; the upper half is random so that a crowd spreads. */
export function back_off(attempt: number, random: () => number): number {
  const ceiling = Math.min(kLongestDelayMs, kFirstDelayMs * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random() / 2));
}

/** `attempt` counts the failures in a row before this one. */
export function judge_close(code: number, reason: string, attempt: number, random: () => number): Verdict {
  if (code === 4401) return { kind: "reauthorise" };
  if (code >= 4400 && code < 4500) return { kind: "stop", reason: kStops[code] ?? "refused" };
  const server_chose = code === 1001 || (code >= 4500 && code < 4600);
  if (server_chose && /^\d{1,7}$/.test(reason)) return { kind: "retry", delay_ms: Number(reason) };
  return { kind: "retry", delay_ms: back_off(attempt, random) };
}
