/**
 * The numbers of the event log. A client advances only over contiguous ones: what comes too early waits,
 * and what came before is dropped.
 */
import type { Event } from "./events.ts";

/** How many items may wait for a gap to close; those beyond it are fetched with the gap. */
const WAITING_MAX = 1000;

export class Sequence {
  readonly #waiting = new Map<number, Event[]>();
  #position: number | undefined;

  /** The number of the last item that was handed out; nothing is known before the first one. */
  get position(): number | undefined {
    return this.#position;
  }

  /** Whether something waits for what is missing before it. */
  get hasGap(): boolean {
    return this.#waiting.size > 0;
  }

  /** Goes on after this number, whatever was before. */
  restart(position: number): void {
    this.#position = position;
    for (const number of this.#waiting.keys()) {
      if (number <= position) this.#waiting.delete(number);
    }
  }

  /** Takes an item in, and returns the events that are to be handed out now, in order. */
  take(number: number, events: Event[]): Event[] {
    if (this.#position === undefined || number <= this.#position) return [];
    if (this.#waiting.size < WAITING_MAX || number === this.#position + 1) {
      this.#waiting.set(number, events);
    }
    return this.drain();
  }

  /** What waited for no more than its turn. */
  drain(): Event[] {
    const ready: Event[] = [];
    while (this.#position !== undefined) {
      const events = this.#waiting.get(this.#position + 1);
      if (events === undefined) break;
      this.#position += 1;
      this.#waiting.delete(this.#position);
      ready.push(...events);
    }
    return ready;
  }
}
