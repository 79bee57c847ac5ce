import { expect, test } from "vitest";
import { stateOf } from "@/features/contacts/model.ts";

test("a block goes before everything else", () => {
  expect(stateOf({ consent: "subscribed" })).toBe("subscribed");
  expect(stateOf({ consent: "opted_out", blocked_at: null })).toBe("optedOut");
  expect(stateOf({ consent: "opted_out", blocked_at: "2026-11-25T09:00:00Z" })).toBe("blocked");
});
