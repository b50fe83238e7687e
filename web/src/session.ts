import { Api, ApiError, Credentials } from "./api";

const kSession = "parley.session";
/** Not a secret: says that a cookie may be there, so that newcomers are not greeted by a 401. */
const kWasHere = "parley.was-here";

interface Stored {
  token: string;
  id: string;
  nickname: string;
  expires_at: number;
}

/**
 * Who is logged in within this tab. Kept over a reload in sessionStorage; a new tab asks the server
 * with the cookie it may have. Renews the token when four fifths of its life are over.
 */
export class Session implements Credentials {
  readonly api = new Api(this);
  on_renewed: (token: string) => void = () => undefined;
  private stored: Stored | undefined;
  private timer: number | undefined;
  private renewing: Promise<boolean> | undefined;

  get me(): { id: string; nickname: string } | undefined {
    return this.stored && { id: this.stored.id, nickname: this.stored.nickname };
  }

  token(): string | undefined {
    return this.stored?.token;
  }

  /** True when somebody is logged in afterwards. */
  async restore(): Promise<boolean> {
    const text = sessionStorage.getItem(kSession);
    if (text !== null) {
      this.keep(JSON.parse(text) as Stored);
      if ((this.stored?.expires_at ?? 0) > Date.now() + 5_000) return true;
    } else if (localStorage.getItem(kWasHere) === null) {
      return false;
    }
    const renewed = await this.renew();
    if (!renewed) this.forget();
    return renewed;
  }

  async log_in(name: string, password: string): Promise<void> {
    const login = await this.api.login(name, password);
    localStorage.setItem(kWasHere, "1");
    this.keep({
      token: login.accessToken,
      id: login.id,
      nickname: login.nickName,
      expires_at: millis(login.expiresAt),
    });
  }

  async log_out(): Promise<void> {
    await this.api.logout().catch(() => undefined);
    this.forget();
  }

  forget(): void {
    window.clearTimeout(this.timer);
    this.stored = undefined;
    sessionStorage.removeItem(kSession);
    localStorage.removeItem(kWasHere);
  }

  /** False: only logging in again helps. Throws ApiError when the server did not say. */
  renew(): Promise<boolean> {
    this.renewing ??= this.ask_for_token().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private async ask_for_token(): Promise<boolean> {
    try {
      const fresh = await this.api.refresh(this.stored?.token);
      const claims = read_claims(fresh.accessToken);
      const id = claims.id ?? this.stored?.id ?? "";
      const nickname = claims.nickname ?? this.stored?.nickname ?? id;
      this.keep({ token: fresh.accessToken, id, nickname, expires_at: millis(fresh.expiresAt) });
      this.on_renewed(fresh.accessToken);
      return true;
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return false;
      throw error;
    }
  }

  private keep(stored: Stored): void {
    this.stored = stored;
    sessionStorage.setItem(kSession, JSON.stringify(stored));
    window.clearTimeout(this.timer);
    const wait = Math.max(10_000, (stored.expires_at - Date.now()) * 0.8);
    this.timer = window.setTimeout(() => void this.renew().catch(() => this.keep(stored)), Math.min(wait, 2 ** 31 - 1));
  }
}

function millis(when: string | number): number {
  if (typeof when === "string" && !/^\d+$/.test(when)) return Date.parse(when);
  const n = Number(when);
  return n < 1e12 ? n * 1000 : n;
}

/** The claims that say who, in the order the server looks for them. */
function read_claims(token: string): { id?: string; nickname?: string } {
  try {
    const part = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string | number | undefined>;
    const id = claims["memberId"] ?? claims["id"] ?? claims["sub"];
    const nickname = claims["nickName"] ?? claims["nickname"] ?? claims["name"];
    return {
      ...(id === undefined ? {} : { id: String(id) }),
      ...(nickname === undefined ? {} : { nickname: String(nickname) }),
    };
  } catch {
    return {};
  }
}
