/**
 * What the API tells of changes. The types are made anew from the API's own description before each check
 * and test (`npm run generate`), so nothing here compiles that does not fit it.
 */
import type { components } from "./api.ts";

type Schemas = components["schemas"];

/** Something that changed. It may be told twice, and two changes of one thing in either order. */
export type Event = Schemas["EventOut"];

export type EventType = Event["type"];

/** The events of one type. */
export type EventOf<T extends EventType> = Extract<Event, { type: T }>;

/** Opens one websocket, once and soon. */
export type Ticket = Schemas["TicketOut"];

/** What happened since. */
export type Since = Schemas["EventsOut"];

/** The figures of a campaign at an instant. */
export interface Progress {
  campaign: string;
  state: EventOf<"campaign.updated">["state"];
  at: string;
  statistics: Record<
    | "recipients"
    | "pending"
    | "sent"
    | "delivered"
    | "read"
    | "failed"
    | "excluded"
    | "unknown"
    | "replied",
    number
  >;
}

/** What the server sends. */
export type Frame =
  | { type: "events"; number: number; events: Event[] }
  | { type: "watched"; events: Event[] }
  | { type: "pong"; last: number }
  | { type: "watching"; chats: string[] }
  | ({ type: "campaign.progress" } & Progress)
  | { type: "error"; code: string; detail: string };

/** What the client sends. */
export type Ask =
  | { type: "ping" }
  | { type: "watch"; chat: string }
  | { type: "unwatch"; chat: string }
  | { type: "progress"; campaign: string };
