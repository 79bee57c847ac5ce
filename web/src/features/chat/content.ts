/** The contents of messages by kind. The API's document leaves them open; here they get their shapes. */
import type { Schemas } from "@/api/client.ts";
import type { Message } from "./model.ts";

export interface PlaceContent {
  latitude: number;
  longitude: number;
  name?: string | null;
  address?: string | null;
}

export interface CardContent {
  name: string;
  phones: string[];
}

export interface OfferContent {
  type: "buttons" | "list" | "link";
  header?: string;
  text: string;
  footer?: string;
  buttons?: { id: string; title: string }[];
  button?: string;
  sections?: { title?: string; rows: { id: string; title: string; description?: string }[] }[];
  label?: string;
  url?: string;
}

export interface OrderContent {
  product: string;
  quantity: number;
}

export type ActivityContent =
  | { type: "status"; status: string; until?: string }
  | { type: "assigned"; assignee: string | null }
  | { type: "consent"; consent: "subscribed" | "opted_out"; source: string }
  | { type: "blocked"; blocked: boolean }
  | { type: "labels"; added?: string[]; removed?: string[] };

export function placeOf(message: Message): PlaceContent | undefined {
  const content = message.content as Partial<PlaceContent> | null | undefined;
  return typeof content?.latitude === "number" ? (content as PlaceContent) : undefined;
}

/** Cards as the person shared them, or as we sent them. */
export function cardsOf(message: Message): CardContent[] {
  const content = message.content as unknown;
  const all = Array.isArray(content)
    ? content
    : ((content as { contacts?: unknown[] } | null | undefined)?.contacts ?? []);
  return (all as { name?: string; phones?: (string | { phone?: string })[] }[]).map((card) => ({
    name: card.name ?? "",
    phones: (card.phones ?? []).map((phone) => (typeof phone === "string" ? phone : (phone.phone ?? ""))),
  }));
}

export function offerOf(message: Message): OfferContent | undefined {
  const content = message.content as Partial<OfferContent> | null | undefined;
  const isOffer = content?.type === "buttons" || content?.type === "list" || content?.type === "link";
  return isOffer ? (content as OfferContent) : undefined;
}

/** A template's message as the person sees it, of a chat or a campaign. */
export function renderedOf(message: Message): Schemas["MessageOut"] | undefined {
  const content = message.content as { message?: Schemas["MessageOut"] } | null | undefined;
  return content?.message;
}

export function orderOf(message: Message): OrderContent[] {
  const content = message.content as { items?: OrderContent[] } | null | undefined;
  return content?.items ?? [];
}

export function emojiOf(message: Message): string {
  const content = message.content as { emoji?: string | null } | string | null | undefined;
  return typeof content === "object" ? (content?.emoji ?? "") : "";
}

export function activityOf(message: Message): ActivityContent {
  return message.content as unknown as ActivityContent;
}
