/**
 * Live events of a workspace, each handed out once and in the order of the workspace's log, over
 * connections that come and go.
 *
 * The websocket only saves asking. Whatever it loses shows as a gap between numbers, or at the next pong,
 * and is fetched over HTTPS; when the server has forgotten it, `onReload` says to read everything anew.
 */
import { type Api, CallError } from "./api-calls.ts";
import type { Ask, Event, EventOf, EventType, Frame, Progress } from "./events.ts";
import { Sequence } from "./sequence.ts";
import { type Socket, type Surroundings, browser } from "./surroundings.ts";

/** How often a word is said; the server trusts a silent socket for three minutes. */
const PING = 60_000;
/** How long an answer may take before the connection counts as dead. */
const PONG = 10_000;
/** How long opening may take. */
const OPENING = 15_000;
/** Frames may overtake each other, so a gap has this long to close by itself. */
const GRACE = 200;
/** The first pause before another try, and the longest. */
const PAUSE = 500;
const PAUSE_MAX = 30_000;
/** How often a campaign's figures are asked for; the server reads them no more often. */
const PROGRESS = 500;

export type State =
  /** Not started, or stopped. */
  | "stopped"
  | "connecting"
  | "live"
  /** Waits before it tries again. */
  | "waiting"
  /** There is no network; `online` goes on. */
  | "offline"
  /** The server lets this caller in no more. */
  | "refused";

export interface Options {
  api: Api;
  surroundings?: Surroundings;
  /** Events were missed for good: read everything that is shown anew. Also what is watched only. */
  onReload?: () => void;
  onState?: (state: State) => void;
  /** A handler threw, or a frame was not understood. */
  onError?: (error: unknown) => void;
}

type Handler = (event: Event) => void;

export class Realtime {
  readonly #options: Options;
  readonly #surroundings: Surroundings;
  readonly #sequence = new Sequence();
  readonly #handlers = new Map<EventType, Set<Handler>>();
  readonly #chats = new Map<string, number>();
  readonly #campaigns = new Map<string, Set<(progress: Progress) => void>>();
  /** What is to be called off when the connection ends. */
  readonly #timers = new Map<string, () => void>();
  #state: State = "stopped";
  #socket: Socket | undefined;
  #failures = 0;
  #catchingUp = false;
  /** Raised whenever a connection begins or ends, so that what was begun for an older one is void. */
  #epoch = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#surroundings = options.surroundings ?? browser;
  }

  get state(): State {
    return this.#state;
  }

  /** The number up to which everything was handed out. */
  get position(): number | undefined {
    return this.#sequence.position;
  }

  start(): void {
    if (this.#state === "stopped" || this.#state === "refused") this.#connect();
  }

  stop(): void {
    this.#end("stopped");
  }

  /** The network is gone: no use in trying. */
  offline(): void {
    if (this.#state !== "stopped" && this.#state !== "refused") this.#end("offline");
  }

  /** The network is back: tried at once. */
  online(): void {
    if (this.#state === "offline" || this.#state === "waiting") {
      this.#failures = 0;
      this.#connect();
    }
  }

  /** Calls back for each event of a type; what is returned ends it. */
  on<T extends EventType>(type: T, handler: (event: EventOf<T>) => void): () => void {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers);
    // Only events of this type are looked up under it.
    const own: Handler = (event) => {
      handler(event as EventOf<T>);
    };
    handlers.add(own);
    return () => handlers.delete(own);
  }

  /** Has a chat told in full while it is open, with what campaigns sent; what is returned ends it. */
  watch(chat: string): () => void {
    const count = this.#chats.get(chat) ?? 0;
    this.#chats.set(chat, count + 1);
    if (count === 0) this.#ask({ type: "watch", chat });
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.#chats.get(chat) ?? 1) - 1;
      if (left > 0) {
        this.#chats.set(chat, left);
      } else {
        this.#chats.delete(chat);
        this.#ask({ type: "unwatch", chat });
      }
    };
  }

  /** Calls back with a campaign's figures, twice a second; what is returned ends it. */
  progress(campaign: string, handler: (progress: Progress) => void): () => void {
    const handlers = this.#campaigns.get(campaign) ?? new Set();
    this.#campaigns.set(campaign, handlers);
    handlers.add(handler);
    if (this.#state === "live") this.#askProgress();
    return () => {
      handlers.delete(handler);
      if (handlers.size === 0) this.#campaigns.delete(campaign);
    };
  }

  #connect(): void {
    this.#end("connecting");
    const epoch = this.#epoch;
    this.#later("opening", OPENING, () => {
      this.#retry();
    });
    this.#options.api.ticket().then(
      (ticket) => {
        if (epoch !== this.#epoch) return;
        if (this.#sequence.position === undefined) this.#sequence.restart(ticket.last);
        this.#open(ticket.url, epoch);
      },
      (error: unknown) => {
        if (epoch !== this.#epoch) return;
        if (error instanceof CallError && error.isFinal) this.#end("refused");
        else this.#retry(error instanceof CallError ? error.retryAfter : 0);
      },
    );
  }

  #open(url: string, epoch: number): void {
    let socket: Socket;
    try {
      socket = this.#surroundings.open(url);
    } catch (error) {
      this.#options.onError?.(error);
      this.#retry();
      return;
    }
    this.#socket = socket;
    const current = (act: () => void) => () => {
      if (epoch === this.#epoch) act();
    };
    socket.onopen = current(() => {
      this.#opened();
    });
    socket.onmessage = ({ data }) => {
      if (epoch === this.#epoch) this.#hear(data);
    };
    socket.onclose = current(() => {
      this.#retry();
    });
    // A close follows, or should.
    socket.onerror = current(() => {
      this.#retry();
    });
  }

  #opened(): void {
    this.#cancel("opening");
    this.#enter("live");
    this.#ping();
    for (const chat of this.#chats.keys()) this.#ask({ type: "watch", chat });
    this.#askProgress();
    // What happened until the socket was open was pushed to nobody.
    this.#catchUp();
  }

  /** Waits, longer each time and never as long as others that were cut off with this one. */
  #retry(atLeast = 0): void {
    this.#end("waiting");
    const longest = Math.min(PAUSE_MAX, PAUSE * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const pause = Math.max(atLeast, longest / 2 + (this.#surroundings.random() * longest) / 2);
    this.#later("retry", pause, () => {
      this.#connect();
    });
  }

  /** Ends the connection, if there is one, and everything that was begun for it. */
  #end(state: State): void {
    this.#epoch += 1;
    this.#catchingUp = false;
    for (const name of [...this.#timers.keys()]) this.#cancel(name);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      // Some report an error for a socket that is closed while it opens.
      socket.onerror = () => undefined;
      try {
        socket.close();
      } catch (error) {
        this.#options.onError?.(error);
      }
    }
    this.#enter(state);
  }

  #enter(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  #ping(): void {
    this.#ask({ type: "ping" });
    this.#later("pong", PONG, () => {
      this.#retry();
    });
    this.#later("ping", PING, () => {
      this.#ping();
    });
  }

  #askProgress(): void {
    if (this.#campaigns.size === 0 || this.#timers.has("progress")) return;
    for (const campaign of this.#campaigns.keys()) this.#ask({ type: "progress", campaign });
    this.#later("progress", PROGRESS, () => {
      this.#askProgress();
    });
  }

  #ask(ask: Ask): void {
    if (this.#state === "live") this.#socket?.send(JSON.stringify(ask));
  }

  #hear(data: unknown): void {
    const frame = parse(data);
    switch (frame?.type) {
      case "events":
        this.#hand(this.#sequence.take(frame.number, frame.events));
        if (this.#sequence.hasGap) this.#noticeGap();
        break;
      case "watched":
        this.#hand(frame.events);
        break;
      case "pong":
        this.#cancel("pong");
        this.#failures = 0;
        if (frame.last > (this.#sequence.position ?? 0)) this.#noticeGap();
        break;
      case "campaign.progress":
        for (const handler of this.#campaigns.get(frame.campaign) ?? []) {
          this.#guarded(() => {
            handler(frame);
          });
        }
        break;
      case "watching":
        break;
      case "error":
        if (frame.code === "closed") this.#retry();
        else this.#options.onError?.(new Error(`${frame.code}: ${frame.detail}`));
        break;
      case undefined:
        this.#options.onError?.(new Error("a frame was not understood"));
    }
  }

  #noticeGap(): void {
    if (this.#timers.has("gap")) return;
    this.#later("gap", GRACE, () => {
      this.#catchUp();
    });
  }

  /** Fetches what is missing until nothing is. */
  #catchUp(): void {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    const epoch = this.#epoch;
    this.#fetchMissing(epoch).then(
      () => {
        if (epoch !== this.#epoch) return;
        this.#catchingUp = false;
        // It came while the answer was on its way.
        if (this.#sequence.hasGap) this.#noticeGap();
      },
      (error: unknown) => {
        if (epoch !== this.#epoch) return;
        this.#catchingUp = false;
        this.#options.onError?.(error);
        this.#retry(error instanceof CallError ? error.retryAfter : 0);
      },
    );
  }

  async #fetchMissing(epoch: number): Promise<void> {
    let more = true;
    while (more) {
      const since = await this.#options.api.since(this.#sequence.position ?? 0);
      if (epoch !== this.#epoch) return;
      if (since.reload) {
        this.#sequence.restart(since.last);
        this.#guarded(() => this.#options.onReload?.());
        this.#hand(this.#sequence.drain());
      }
      for (const item of since.items) this.#hand(this.#sequence.take(item.number, item.events));
      more = since.more;
    }
  }

  #hand(events: Event[]): void {
    for (const event of events) {
      for (const handler of this.#handlers.get(event.type) ?? []) {
        this.#guarded(() => {
          handler(event);
        });
      }
    }
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  #later(name: string, milliseconds: number, act: () => void): void {
    this.#cancel(name);
    const cancel = this.#surroundings.after(milliseconds, () => {
      this.#timers.delete(name);
      act();
    });
    this.#timers.set(name, cancel);
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}

function parse(data: unknown): Frame | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    const known = ["events", "watched", "pong", "watching", "campaign.progress", "error"];
    const type = (frame as { type?: unknown } | null)?.type;
    return known.includes(String(type)) ? (frame as Frame) : undefined;
  } catch {
    return undefined;
  }
}
