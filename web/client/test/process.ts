/** A local process of its own, and a network to it that can be cut. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

import { Realtime, type Socket, type Surroundings, api, browser } from "../src/index.ts";
import type { Event } from "../src/index.ts";

interface Demo {
  url: string;
  api_key: string;
}

export class Process {
  readonly #folder = mkdtempSync(join(tmpdir(), "blazz-live-"));
  #child: ChildProcess | undefined;
  #log = "";

  /** Starts it on free ports, and returns when it answers. */
  async start(): Promise<Demo> {
    const binary =
      process.env.BLAZZ_BIN ?? join(import.meta.dirname, "../../../target/debug/blazz");
    if (!existsSync(binary)) {
      throw new Error(`${binary} does not exist: build it with cargo build --workspace --bin blazz`);
    }
    const child = spawn(binary, {
      env: {
        ...process.env,
        PORT: "0",
        BLAZZ_DATA: this.#folder,
        // The tests ask as often as many keys would.
        BLAZZ_REQUESTS_PER_MINUTE: "1000000",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.on("data", (data: Buffer) => (this.#log += data.toString()));
    child.stderr.on("data", (data: Buffer) => (this.#log += data.toString()));
    const file = join(this.#folder, "demo.json");
    for (let tries = 0; tries < 600; tries += 1) {
      if (child.exitCode !== null) break;
      if (existsSync(file)) {
        try {
          return JSON.parse(readFileSync(file, "utf8")) as Demo;
        } catch {
          // It is being written.
        }
      }
      await pause(100);
    }
    throw new Error(`the process did not start:\n${this.#log}`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One client's way to the server. */
export class Network {
  readonly #open = new Set<WebSocket>();
  #up = true;

  /** Cuts it: what is open dies without a word, and nothing new gets through. */
  down(): void {
    this.#up = false;
    for (const socket of this.#open) socket.terminate();
  }

  up(): void {
    this.#up = true;
  }

  readonly fetch: typeof fetch = (url, init) =>
    this.#up ? fetch(url, init) : Promise.reject(new TypeError("the network is down"));

  readonly surroundings: Surroundings = {
    ...browser,
    open: (url) => {
      if (!this.#up) throw new Error("the network is down");
      const socket = new WebSocket(url);
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
      return socket as unknown as Socket;
    },
  };
}

/** A client with its own network, and everything it was told. */
export class Screen {
  readonly network = new Network();
  readonly events: Event[] = [];
  readonly errors: unknown[] = [];
  readonly client: Realtime;
  reloads = 0;
  drops = 0;

  constructor(baseUrl: string, headers: Record<string, string>) {
    this.client = new Realtime({
      api: api({ baseUrl, headers: () => headers, fetch: this.network.fetch }),
      surroundings: this.network.surroundings,
      onReload: () => (this.reloads += 1),
      onState: (state) => {
        if (state === "waiting") this.drops += 1;
      },
      onError: (error) => this.errors.push(error),
    });
    for (const type of ["contact.updated", "message.created", "message.updated"] as const) {
      this.client.on(type, (event) => this.events.push(event));
    }
    this.client.start();
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until something holds, and says what did not. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 900; tries += 1) {
    if (holds()) return;
    await pause(50);
  }
  throw new Error(`in vain: ${what}`);
}
