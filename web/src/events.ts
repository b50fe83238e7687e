/** What `/sub/chat/room/{id}/events` says, in the page's terms. */
export type RoomEvent =
  | { kind: "typing"; member_id: string; name: string | undefined }
  | { kind: "presence"; member_id: string; name: string | undefined; present: boolean }
  | { kind: "read"; member_id: string; seq: number }
  | { kind: "other" };

export function read_event(body: unknown): RoomEvent {
  const event = (body ?? {}) as Record<string, unknown>;
  const kind = event["event"];
  const member_id = event["memberId"];
  if (typeof member_id !== "string") return { kind: "other" };
  const nickname = event["nickname"];
  const name = typeof nickname === "string" ? nickname : undefined;
  if (kind === "typing") return { kind: "typing", member_id, name };
  if (kind === "presence") return { kind: "presence", member_id, name, present: event["present"] === true };
  if (kind === "read") return { kind: "read", member_id, seq: Number(event["seq"] ?? 0) };
  return { kind: "other" };
}
