/** What a client stands on; a test gives its own. */

/** The part of a browser's WebSocket that is used. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Surroundings {
  open: (url: string) => Socket;
  /** Calls back after so many milliseconds; what is returned calls it off. */
  after: (milliseconds: number, callback: () => void) => () => void;
  /** From 0 up to 1. */
  random: () => number;
}

export const browser: Surroundings = {
  open: (url) => new WebSocket(url) as unknown as Socket,
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
  random: Math.random,
};
