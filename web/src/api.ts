/** The REST calls of the page. Thread of nothing but promises; every failure is an ApiError. */
import type { ChatMessage } from "../../clients/js/src/index";

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: no answer at all
    readonly code: string,
    message: string,
    readonly retry_after_ms: number | undefined,
  ) {
    super(message);
  }
}

export interface Login {
  accessToken: string;
  id: string;
  nickName: string;
  expiresAt: string | number;
}

export type Visibility = "public" | "private";

export interface RoomInfo {
  roomId: string;
  name: string;
  kind: string;
  visibility: Visibility;
  ownerId: string;
  createdAt: string;
  headSeq?: number;
  member: boolean;
}

export interface Member {
  memberId: string;
  nickName: string;
  standing: string;
  present: boolean;
}

export interface HistoryPage {
  messages: ChatMessage[];
  epoch: string | undefined;
}

/** Where tokens come from and who is told that they are of no use any more. */
export interface Credentials {
  token(): string | undefined;
  /** Resolves to false when there is no way but logging in again. */
  renew(): Promise<boolean>;
}

interface Call {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  /** No token and no second try: logging in and the like. */
  anonymous?: boolean;
}

const room_path = (room_id: string): string => `api/rooms/${encodeURIComponent(room_id)}`;

export class Api {
  constructor(private readonly credentials: Credentials) {}

  register = (name: string, password: string, nickName: string): Promise<unknown> =>
    this.envelope("v1/member/register", { name, password, nickName }, true);
  login = (name: string, password: string): Promise<Login> =>
    this.envelope("v1/auth/login", { name, password }, true) as Promise<Login>;
  logout = (): Promise<unknown> => this.envelope("v1/auth/logout", {}, false);
  ticket = async (): Promise<string> =>
    ((await this.envelope("v1/auth/ticket", {}, false)) as { ticket: string }).ticket;

  /** With the token if there is one, else by the cookie alone. */
  async refresh(token: string | undefined): Promise<{ accessToken: string; expiresAt: string | number }> {
    const answer = await request("v1/auth/refresh", { method: "POST", body: {}, anonymous: true }, token);
    return ((await answer.json()) as { data: { accessToken: string; expiresAt: string | number } }).data;
  }

  rooms = (mine: boolean): Promise<RoomInfo[]> => this.json(`api/rooms${mine ? "?mine=1" : ""}`) as Promise<RoomInfo[]>;
  room = (room_id: string): Promise<RoomInfo> => this.json(room_path(room_id)) as Promise<RoomInfo>;
  create_room = (room: { roomId?: string; name: string; visibility: string }): Promise<RoomInfo> =>
    this.json("api/rooms", { method: "POST", body: room }) as Promise<RoomInfo>;
  join = (room_id: string): Promise<unknown> => this.json(`${room_path(room_id)}/join`, { method: "POST", body: {} });
  leave = (room_id: string): Promise<unknown> => this.json(`${room_path(room_id)}/leave`, { method: "POST", body: {} });
  invite = (room_id: string, name: string): Promise<unknown> =>
    this.json(`${room_path(room_id)}/members`, { method: "POST", body: { name } });
  kick = (room_id: string, member_id: string): Promise<unknown> =>
    this.json(`${room_path(room_id)}/members/${encodeURIComponent(member_id)}`, { method: "DELETE" });
  set_visibility = (room_id: string, visibility: Visibility): Promise<unknown> =>
    this.json(room_path(room_id), { method: "PATCH", body: { visibility } });
  members = (room_id: string): Promise<Member[]> => this.json(`${room_path(room_id)}/members`) as Promise<Member[]>;
  read_mark = async (room_id: string): Promise<number> =>
    ((await this.json(`${room_path(room_id)}/read`)) as { seq: number }).seq;

  async history(room_id: string, before: number, limit: number): Promise<HistoryPage> {
    const answer = await this.call(`${room_path(room_id)}/messages?before=${before}&limit=${limit}`, {});
    return {
      messages: (await answer.json()) as ChatMessage[],
      epoch: answer.headers.get("X-Parley-Epoch") ?? undefined,
    };
  }

  private async envelope(path: string, body: unknown, anonymous: boolean): Promise<unknown> {
    const answer = await this.call(path, { method: "POST", body, anonymous });
    return ((await answer.json()) as { data: unknown }).data;
  }

  private async json(path: string, call: Call = {}): Promise<unknown> {
    const text = await (await this.call(path, call)).text();
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  }

  private async call(path: string, call: Call): Promise<Response> {
    if (call.anonymous) return request(path, call, undefined);
    try {
      return await request(path, call, this.credentials.token());
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || !(await this.credentials.renew())) throw error;
      return request(path, call, this.credentials.token());
    }
  }
}

async function request(path: string, call: Call, token: string | undefined): Promise<Response> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers["Authorization"] = `Bearer ${token}`;
  if (call.body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    answer = await fetch(new URL(path, document.baseURI), {
      method: call.method ?? "GET",
      headers,
      body,
      cache: "no-store",
    });
  } catch {
    throw new ApiError(0, "network", "", undefined);
  }
  if (answer.ok) return answer;
  throw await read_error(answer);
}

async function read_error(answer: Response): Promise<ApiError> {
  const said = (await answer.json().catch(() => ({}))) as { code?: string; message?: string; msg?: string };
  const retry_after = Number(answer.headers.get("Retry-After") ?? NaN);
  const wait = Number.isFinite(retry_after) ? retry_after * 1000 : undefined;
  return new ApiError(answer.status, said.code ?? String(answer.status), said.message ?? said.msg ?? "", wait);
}
