/** A world without time and network: both move when a test says so. */
import { CallError, type Api, type Event, type Since, type Socket, type Surroundings } from "../src/index.ts";

interface Timer {
  at: number;
  callback: () => void;
}

/** Timers that go off when `pass` moves the time past them. */
export class Clock {
  now = 0;
  readonly #timers = new Set<Timer>();

  after = (milliseconds: number, callback: () => void): (() => void) => {
    const timer = { at: this.now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Lets so many milliseconds pass, with everything that becomes due on the way. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.now = next.at;
      next.callback();
      await settle();
    }
    this.now = end;
  }
}

/** Lets every promise that can go on go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly url: string;
  readonly sent: { type: string }[] = [];
  closed = false;

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }

  close(): void {
    this.closed = true;
  }

  /** The server sends a frame. */
  tell(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  asked(type: string): number {
    return this.sent.filter((ask) => ask.type === type).length;
  }
}

/** An event that can be told apart. */
export function contact(name: string): Event {
  return { type: "contact.updated", contact: name };
}

/** The server: a log, tickets, sockets. */
export class World implements Api {
  readonly clock = new Clock();
  readonly sockets: FakeSocket[] = [];
  readonly log: { number: number; events: Event[] }[] = [];
  last = 100;
  /** The oldest number that is still known. */
  oldest = 0;
  /** The next calls fail with this. */
  trouble: CallError | undefined;
  tickets = 0;
  asked: number[] = [];

  readonly surroundings: Surroundings = {
    open: (url) => {
      const socket = new FakeSocket(url);
      this.sockets.push(socket);
      return socket;
    },
    after: this.clock.after,
    random: () => 0.5,
  };

  ticket(): Promise<{ url: string; expires_at: string; last: number }> {
    this.tickets += 1;
    if (this.trouble) return Promise.reject(this.trouble);
    const url = `wss://blazz.example/ws?ticket=${this.tickets}`;
    return Promise.resolve({ url, expires_at: "2026-01-01T00:00:30Z", last: this.last });
  }

  since(after: number): Promise<Since> {
    this.asked.push(after);
    if (this.trouble) return Promise.reject(this.trouble);
    if (after < this.oldest) {
      return Promise.resolve({ items: [], last: this.last, more: false, reload: true });
    }
    const rest = this.log.filter(({ number }) => number > after);
    const items = rest.slice(0, 2);
    const last = items.at(-1)?.number ?? this.last;
    return Promise.resolve({ items, last, more: rest.length > items.length, reload: false });
  }

  /** Something happens, and is pushed to nobody. */
  happen(name: string): { type: "events"; number: number; events: Event[] } {
    this.last += 1;
    const item = { number: this.last, events: [contact(name)] };
    this.log.push(item);
    return { type: "events", ...item };
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** The socket that is being opened opens. */
  async open(): Promise<FakeSocket> {
    await settle();
    const { socket } = this;
    socket.onopen?.();
    await settle();
    socket.tell({ type: "pong", last: this.last });
    return socket;
  }
}
