/** The list of chats under a filter, with the live counts beside it. */
import { useInfiniteQuery, useQuery } from "@tanstack/vue-query";
import { type ComputedRef, type Ref, computed } from "vue";
import { type Schemas, ask, http } from "@/api/client.ts";
import type { Chat, ChatStatus } from "./model.ts";

export interface ChatFilter {
  status: ChatStatus;
  whose: "all" | "mine" | "unassigned";
  unread: boolean;
  label: string;
  channel: string;
}

const PAGE = 40;

export function useChats(filter: Ref<ChatFilter>) {
  const list = useInfiniteQuery({
    queryKey: ["chats", "list", filter],
    initialPageParam: "",
    queryFn: ({ pageParam }) => ask(http.GET("/v1/chats", { params: { query: query(filter.value, pageParam) } })),
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  });
  const counts = useQuery({
    queryKey: ["chats", "counts"],
    queryFn: () => ask(http.GET("/v1/chats/counts")),
  });
  /** A chat that moves up while pages are read may come twice: its first place counts. */
  const chats = computed<Chat[]>(() => {
    const all = new Map<string, Chat>();
    for (const page of list.data.value?.pages ?? []) {
      for (const chat of page.items) if (!all.has(chat.id)) all.set(chat.id, chat);
    }
    return [...all.values()];
  });
  const countsOf: ComputedRef<Schemas["ChatCounts"] | undefined> = computed(
    () => counts.data.value?.statuses[filter.value.status],
  );
  return { list, chats, countsOf };
}

function query(filter: ChatFilter, cursor: string) {
  return {
    status: filter.status,
    limit: PAGE,
    ...(filter.whose === "mine" ? { assignee: "me" } : {}),
    ...(filter.whose === "unassigned" ? { assignee: "nobody" } : {}),
    ...(filter.unread ? { unread: true } : {}),
    ...(filter.label ? { label: filter.label } : {}),
    ...(filter.channel ? { channel: filter.channel } : {}),
    ...(cursor ? { cursor } : {}),
  };
}
