import { expect, test } from "vitest";
import { tokenOf, within } from "@/features/account/within.ts";

test("signing in leads on only within the application", () => {
  expect(within("/campaigns/cp_1?tab=failed")).toBe("/campaigns/cp_1?tab=failed");
  for (const elsewhere of ["https://example.com", "//example.com", "/\\example.com", "javascript:1", undefined, ["/a"]]) {
    expect(within(elsewhere)).toBe("/");
  }
});

test("a link's token stands behind the hash", () => {
  expect(tokenOf("#in_123")).toBe("in_123");
  expect(tokenOf("")).toBe("");
});
