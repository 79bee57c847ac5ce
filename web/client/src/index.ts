export { type Api, type ApiOptions, CallError, api } from "./api-calls.ts";
export type { Event, EventOf, EventType, Progress, Since, Ticket } from "./events.ts";
export { type Options, Realtime, type State } from "./realtime.ts";
export { type Socket, type Surroundings, browser } from "./surroundings.ts";
