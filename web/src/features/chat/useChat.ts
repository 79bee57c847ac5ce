/** One chat: its messages as they come and change, sending, and what was read. */
import { useQuery, useQueryClient } from "@tanstack/vue-query";
import { type Ref, computed, onScopeDispose, ref, shallowRef, watch } from "vue";
import { ask, http } from "@/api/client.ts";
import { problemOf } from "@/api/problem.ts";
import { useEvent, watchChat } from "@/live/live.ts";
import { useNotification } from "@/ui/index.ts";
import { type Chat, type Message, merged, overlaps } from "./model.ts";
import { type MessageBody, useOutbox } from "./outbox.ts";

const PAGE = 50;

export function useChat(id: Ref<string>) {
  const queries = useQueryClient();
  const outbox = useOutbox();
  const { showError } = useNotification();

  const chat = useQuery({
    queryKey: ["chats", "one", id],
    queryFn: () => ask(http.GET("/v1/chats/{chat}", { params: { path: { chat: id.value } } })),
  });
  /** The newest messages, read anew whenever something in the chat changes. */
  const newest = useQuery({
    queryKey: ["messages", id],
    queryFn: () => read(id.value),
  });

  const messages = shallowRef<Message[]>([]);
  /** Where older messages begin; `null` when there are none. */
  const older = ref<string | null>(null);
  const loadingOlder = ref(false);

  watch(
    [id, newest.data],
    ([now, page], [before]) => {
      const isOther = now !== before;
      if (isOther) messages.value = [];
      if (!page) return;
      const isGap = messages.value.length > 0 && !overlaps(messages.value, page.items);
      if (messages.value.length === 0 || isGap) {
        older.value = page.next ?? null;
        messages.value = merged([], page.items);
      } else {
        messages.value = merged(messages.value, page.items);
      }
    },
    { immediate: true },
  );

  async function read(of: string, cursor?: string) {
    const query = { limit: PAGE, ...(cursor ? { cursor } : {}) };
    return ask(http.GET("/v1/chats/{chat}/messages", { params: { path: { chat: of }, query } }));
  }

  /** Reads the messages before those that are shown. */
  async function loadMessages(): Promise<void> {
    const [of, cursor] = [id.value, older.value];
    if (loadingOlder.value || cursor === null) return;
    loadingOlder.value = true;
    try {
      const page = await read(of, cursor);
      if (of !== id.value) return;
      messages.value = merged(page.items, messages.value);
      older.value = page.next ?? null;
    } catch (error) {
      showError(error);
    } finally {
      loadingOlder.value = false;
    }
  }

  function sendMessage(body: MessageBody, shown: { text: string; kind: string }): void {
    outbox.send(id.value, body, shown);
  }

  /** Tells that everything was seen; the person gets their blue ticks once. */
  async function markAsRead(): Promise<void> {
    const of = id.value;
    try {
      const read = await ask(http.POST("/v1/chats/{chat}/read", { params: { path: { chat: of } } }));
      queries.setQueryData<Chat>(["chats", "one", of], read);
    } catch (error) {
      // It is said again with the next message; nobody is to be stopped from answering by it.
      if (!problemOf(error).isPassing) showError(error);
    }
  }

  // What the server took is shown at once, before the event that tells of it.
  const taken = (of: string, message: Message): void => {
    if (of === id.value) messages.value = merged(messages.value, [message]);
  };
  outbox.listeners.add(taken);
  onScopeDispose(() => outbox.listeners.delete(taken));

  // A change of a message that the newest page does not hold is read with the page it stands on.
  useEvent("message.updated", (event) => {
    const isOld = messages.value.some((one) => one.id === event.message);
    const isNew = newest.data.value?.items.some((one) => one.id === event.message) ?? true;
    if (event.chat === id.value && isOld && !isNew) void readAgain(event.message);
  });

  /** Reads pages down to a message. */
  async function readAgain(message: string): Promise<void> {
    const of = id.value;
    let cursor: string | undefined;
    do {
      const page = await read(of, cursor);
      if (of !== id.value) return;
      messages.value = merged(messages.value, page.items);
      if (page.items.some((one) => one.id === message)) return;
      cursor = page.next ?? undefined;
    } while (cursor);
  }

  let unwatch: (() => void) | undefined;
  watch(
    id,
    (now) => {
      unwatch?.();
      unwatch = watchChat(now);
    },
    { immediate: true },
  );
  onScopeDispose(() => unwatch?.());

  return {
    chat,
    newest,
    messages,
    hasOlder: computed(() => older.value !== null),
    loadingOlder,
    waiting: computed(() => outbox.all.filter((one) => one.chat === id.value)),
    sendMessage,
    loadMessages,
    markAsRead,
  };
}

export type ChatHandle = ReturnType<typeof useChat>;
