import type { Schemas } from "@/api/client.ts";

export type Contact = Schemas["ContactOut"];
export type ContactState = "subscribed" | "optedOut" | "blocked";

/** Whether the contact may be written to; a block goes before everything else. */
export function stateOf(contact: Pick<Contact, "blocked_at" | "consent">): ContactState {
  if (contact.blocked_at) return "blocked";
  return contact.consent === "opted_out" ? "optedOut" : "subscribed";
}

export const TONES = { subscribed: "good", optedOut: "warning", blocked: "danger" } as const;

export function nameOf(contact: Contact): string {
  return contact.name ?? contact.phone ?? contact.id;
}
