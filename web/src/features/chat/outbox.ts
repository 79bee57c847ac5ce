/**
 * Messages that were written here and of which the server has not said that it has them. Each has a key of
 * its own, so that asking again after a lost answer sends it once. They outlive the page.
 */
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { type Schemas, ask, http } from "@/api/client.ts";
import { type Problem, problemOf } from "@/api/problem.ts";
import { useSession } from "@/session/session.ts";
import type { Message } from "./model.ts";

export type MessageBody = Schemas["MessageIn"];

export interface Waiting {
  key: string;
  chat: string;
  workspace: string;
  body: MessageBody;
  /** What is shown of it until the server has it. */
  text: string;
  kind: string;
  at: string;
  /** Why the server will not have it. */
  refused?: { code: string; detail: string };
}

/** How long to wait before asking again, at first and at most. */
const PAUSE = 1000;
const PAUSE_MAX = 30_000;
const KEPT = "outbox";

export const useOutbox = defineStore("outbox", () => {
  const session = useSession();
  const all = ref<Waiting[]>(kept());
  const running = new Set<string>();
  /** Called with each message that the server took. */
  const listeners = new Set<(chat: string, message: Message) => void>();

  watch(all, (now) => localStorage.setItem(KEPT, JSON.stringify(now)), { deep: true });

  function send(chat: string, body: MessageBody, shown: { text: string; kind: string }): void {
    const at = new Date().toISOString();
    all.value.push({ key: crypto.randomUUID(), chat, workspace: session.workspace, body, at, ...shown });
    void run(chat);
  }

  function drop(key: string): void {
    all.value = all.value.filter((one) => one.key !== key);
  }

  /** Goes on with everything that waits: when the page opens, and when the network is back. */
  function goOn(): void {
    const chats = all.value.filter((one) => one.workspace === session.workspace).map((one) => one.chat);
    for (const chat of new Set(chats)) void run(chat);
  }

  /** Hands a chat's messages to the server, one after the other: they never overtake each other. */
  async function run(chat: string): Promise<void> {
    if (running.has(chat)) return;
    running.add(chat);
    let pause = PAUSE;
    try {
      for (let next = first(chat); next; next = first(chat)) {
        const problem = await attempt(next);
        if (problem?.isPassing) {
          // The network says itself when it is back.
          if (!navigator.onLine) return;
          await new Promise((resolve) => setTimeout(resolve, pause));
          pause = Math.min(pause * 2, PAUSE_MAX);
        }
      }
    } finally {
      running.delete(chat);
    }
  }

  function first(chat: string): Waiting | undefined {
    return all.value.find(
      (one) => one.chat === chat && one.workspace === session.workspace && !one.refused,
    );
  }

  async function attempt(one: Waiting): Promise<Problem | undefined> {
    try {
      const message = await ask(
        http.POST("/v1/chats/{chat}/messages", {
          params: { path: { chat: one.chat }, header: { "Idempotency-Key": one.key } },
          body: one.body,
        }),
      );
      drop(one.key);
      for (const listener of listeners) listener(one.chat, message);
      return undefined;
    } catch (error) {
      const problem = problemOf(error);
      if (!problem.isPassing) one.refused = { code: problem.code, detail: problem.message };
      return problem;
    }
  }

  addEventListener("online", goOn);

  return {
    all,
    of: (chat: string) => computed(() => all.value.filter((one) => one.chat === chat)),
    send,
    drop,
    goOn,
    listeners,
  };
});

function kept(): Waiting[] {
  try {
    const text: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(text) ? (text as Waiting[]) : [];
  } catch {
    // Damaged by hand: there is nothing to send.
    return [];
  }
}
