/**
 * What the server tells of changes, and what is read anew for it: one table from event to queries.
 * Pages show queries; whatever is told here is fetched again when somebody looks at it.
 */
import { type QueryClient, useQueryClient } from "@tanstack/vue-query";
import { type EventOf, type EventType, type Progress, Realtime, api } from "@blazz/client";
import { onScopeDispose, shallowRef } from "vue";
import { caller } from "@/api/client.ts";

/** The first part of the key of every query, by what it shows. */
export type Noun =
  | "chats"
  | "messages"
  | "contacts"
  | "groups"
  | "campaigns"
  | "imports"
  | "templates"
  | "channels"
  | "members"
  | "presence"
  | "workspace"
  | "labels"
  | "canned-replies"
  | "settings";

type Table = { [T in EventType]: (event: EventOf<T>) => readonly (readonly unknown[])[] };

/** The keys of the queries that an event makes stale. */
const STALE: Table = {
  "message.created": (event) => [["chats"], ["messages", event.chat]],
  "message.updated": (event) => [["messages", event.chat]],
  "media.updated": (event) => [["messages", event.chat]],
  "chat.updated": (event) => [["chats"], ["messages", event.chat]],
  "mention.created": () => [],
  "chat.answering": () => [],
  "presence.updated": () => [["presence"]],
  "recipient.updated": (event) => [["messages", event.chat]],
  "campaign.updated": () => [["campaigns"]],
  "contact.updated": (event) => [["contacts", "list"], ["contacts", event.contact], ["chats"]],
  "contact.deleted": (event) => [["contacts", "list"], ["contacts", event.contact], ["chats"]],
  "import.updated": () => [["imports"], ["contacts", "list"], ["groups"]],
  "template.updated": () => [["templates"]],
  "channel.updated": () => [["channels"]],
  "member.updated": () => [["members"]],
  "workspace.updated": () => [["workspace"], ["settings"]],
};

export type LiveState = Realtime["state"];
export const liveState = shallowRef<LiveState>("stopped");

let realtime: Realtime | undefined;
/** Events come in bursts; what they make stale is read once for all that came within this time. */
const TOGETHER = 40;

export function startLive(queries: QueryClient): void {
  stopLive();
  const stale = new Map<string, readonly unknown[]>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refresh = (): void => {
    timer = undefined;
    for (const queryKey of stale.values()) void queries.invalidateQueries({ queryKey });
    stale.clear();
  };
  const headers = (): Record<string, string> => ({
    "x-csrf-token": caller.csrfToken,
    "x-workspace": caller.workspace,
  });
  realtime = new Realtime({
    api: api({ headers }),
    onState: (state) => (liveState.value = state),
    onReload: () => void queries.invalidateQueries(),
    onError: (error) => console.warn("live updates", error),
  });
  for (const type of Object.keys(STALE) as EventType[]) {
    realtime.on(type, (event) => {
      const keys = (STALE[type] as (e: typeof event) => readonly (readonly unknown[])[])(event);
      for (const key of keys) stale.set(JSON.stringify(key), key);
      timer ??= setTimeout(refresh, TOGETHER);
    });
  }
  addEventListener("online", online);
  addEventListener("offline", offline);
  if (navigator.onLine) realtime.start();
  else liveState.value = "offline";
}

export function stopLive(): void {
  realtime?.stop();
  realtime = undefined;
  removeEventListener("online", online);
  removeEventListener("offline", offline);
}

function online(): void {
  realtime?.start();
  realtime?.online();
}

function offline(): void {
  realtime?.offline();
  liveState.value = "offline";
}

/** Calls back for events of a type while the component is there. */
export function useEvent<T extends EventType>(type: T, handler: (event: EventOf<T>) => void): void {
  const end = realtime?.on(type, handler);
  onScopeDispose(() => end?.());
}

/** Has a chat told in full; what is returned ends it. */
export function watchChat(chat: string): () => void {
  return realtime?.watch(chat) ?? ((): void => undefined);
}

/** Calls back with a campaign's figures while it is sent; what is returned ends it. */
export function watchCampaign(campaign: string, handler: (progress: Progress) => void): () => void {
  return realtime?.progress(campaign, handler) ?? ((): void => undefined);
}

/** Begins live updates for as long as the component is there. */
export function useLive(): void {
  startLive(useQueryClient());
  onScopeDispose(stopLive);
}
