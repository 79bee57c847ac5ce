/** The two calls that a realtime client makes over HTTPS. */
import type { Since, Ticket } from "./events.ts";

/** A call that failed. */
export class CallError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** For how long the server wants to be left alone, in milliseconds. */
  readonly retryAfter: number;

  constructor(status: number, retryAfter: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "CallError";
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether it would fail again: who asks may not, or not any more. */
  get isFinal(): boolean {
    return this.status === 401 || this.status === 403 || this.status === 404;
  }
}

export interface Api {
  ticket(): Promise<Ticket>;
  since(after: number): Promise<Since>;
}

export interface ApiOptions {
  /** The origin of the API; empty for that of the page. */
  baseUrl?: string;
  /** Sent with every call: `Authorization`, or `X-CSRF-Token` and `X-Workspace` of a session. */
  headers?: () => Record<string, string>;
  fetch?: typeof fetch;
}

export function api(options: ApiOptions = {}): Api {
  const send = options.fetch ?? fetch;
  const call = async <T>(method: "GET" | "POST", path: string): Promise<T> => {
    let response: Response;
    try {
      response = await send(`${options.baseUrl ?? ""}${path}`, {
        method,
        headers: { accept: "application/json", ...options.headers?.() },
        credentials: "same-origin",
      });
    } catch (error) {
      throw new CallError(0, 0, "the server cannot be reached", error);
    }
    if (!response.ok) {
      const seconds = Number(response.headers.get("retry-after") ?? 0);
      const retryAfter = Number.isFinite(seconds) ? seconds * 1000 : 0;
      throw new CallError(response.status, retryAfter, `${path} answered ${response.status}`);
    }
    return (await response.json()) as T;
  };
  return {
    ticket: () => call<Ticket>("POST", "/v1/realtime/ticket"),
    since: (after) => call<Since>("GET", `/v1/events?after=${after}`),
  };
}
