/** What chats and messages mean on the screen, without the screen. */
import type { Schemas } from "@/api/client.ts";

export type Chat = Schemas["ChatOut"];
export type Message = Schemas["ChatMessageOut"];
export type ChatStatus = "open" | "pending" | "snoozed" | "resolved";

export const STATUSES: readonly ChatStatus[] = ["open", "pending", "snoozed", "resolved"];

/** A line of the thread. */
export type Row =
  | { type: "date"; key: string; at: string }
  | { type: "unread"; key: string }
  | { type: "message"; key: string; message: Message; joined: boolean };

/** Messages of one side within this time are shown as one turn. */
const TURN = 5 * 60_000;

/** The newer of two readings of each message, the oldest message first. */
export function merged(seen: readonly Message[], read: readonly Message[]): Message[] {
  const all = new Map(seen.map((message) => [message.id, message]));
  for (const message of read) all.set(message.id, message);
  return [...all.values()].sort(
    (a, b) => Date.parse(a.at) - Date.parse(b.at) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

/** Whether what was read anew reaches down to what was seen before, so that nothing is missing between. */
export function overlaps(seen: readonly Message[], read: readonly Message[]): boolean {
  const known = new Set(seen.map((message) => message.id));
  return read.some((message) => known.has(message.id));
}

/** The rows of a thread: days, where the unread begins, and the messages. */
export function rowsOf(messages: readonly Message[], unreadFrom: string | undefined): Row[] {
  const rows: Row[] = [];
  let before: Message | undefined;
  for (const message of messages) {
    const newDay = !before || dayOf(before.at) !== dayOf(message.at);
    if (newDay) rows.push({ type: "date", key: `date ${dayOf(message.at)}`, at: message.at });
    if (message.id === unreadFrom) rows.push({ type: "unread", key: "unread" });
    const joined = !newDay && before !== undefined && message.id !== unreadFrom && isOneTurn(before, message);
    rows.push({ type: "message", key: message.id, message, joined });
    before = message;
  }
  return rows;
}

/** The first of the newest messages of the person that nobody has seen, if there are any. */
export function firstUnread(messages: readonly Message[], unread: number): string | undefined {
  if (unread === 0) return undefined;
  const inbound = messages.filter((message) => message.direction === "inbound");
  return inbound.at(-unread)?.id ?? inbound[0]?.id;
}

/** The day on this person's clock. */
export function dayOf(at: string): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

function isOneTurn(a: Message, b: Message): boolean {
  return (
    a.direction === b.direction &&
    a.kind !== "activity" &&
    (a.kind === "note") === (b.kind === "note") &&
    authorOf(a)?.id === authorOf(b)?.id &&
    Date.parse(b.at) - Date.parse(a.at) < TURN
  );
}

export interface Author {
  type: "user" | "api_key" | "automatic";
  id?: string;
}

/** Who wrote or did it. The document leaves the shape open. */
export function authorOf(message: Message): Author | undefined {
  return (message.by ?? undefined) as Author | undefined;
}

/** How long anything may be sent, and how urgent that is. */
export interface Window {
  state: "open" | "soon" | "closing" | "closed";
  /** Milliseconds that are left. */
  left: number;
}

const SOON = 60 * 60_000;
const CLOSING = 10 * 60_000;

export function windowOf(chat: Pick<Chat, "window_open_until">, now: number): Window {
  const until = chat.window_open_until ? Date.parse(chat.window_open_until) : 0;
  const left = Math.max(0, until - now);
  if (left === 0) return { state: "closed", left };
  return { state: left < CLOSING ? "closing" : left < SOON ? "soon" : "open", left };
}

/** Hours, minutes and seconds as on a clock: `18:06:19`. */
export function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

export function nameOf(chat: Chat): string {
  return chat.contact_name ?? chat.contact_phone ?? "";
}

/** What becomes of a message that was sent, as ticks show it. */
export type Tick = "queued" | "accepted" | "sent" | "delivered" | "read" | "played" | "failed" | "unknown";

/** Where a file of a message is: of an outbound one by the file's own id. */
export function outboundMedia(message: Message): { media: string; mime: string; name: string } | undefined {
  const content = message.content as
    | { type?: string; media?: string; mime_type?: string; file_name?: string }
    | null
    | undefined;
  if (message.direction !== "outbound" || content?.type !== "media" || !content.media) return undefined;
  return { media: content.media, mime: content.mime_type ?? "", name: content.file_name ?? "" };
}

/** The command that a `/` at the beginning of the field begins: what follows it. */
export function shortcutOf(text: string): string | undefined {
  return /^\/(\S*)$/u.exec(text)?.[1];
}
