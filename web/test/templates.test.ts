import { expect, test } from "vitest";
import { type TemplateOut, pieces, preview } from "@/features/templates/model.ts";

const components = {
  header: { type: "text", text: "Order {{1}}" },
  body: "Hello {{1}}, your order from {{ shop }} is on its way.",
  footer: null,
  buttons: [{ type: "quick_reply", text: "Thanks" }],
  unsupported: [],
};
const template = { components, examples: {} } as unknown as TemplateOut;

test("values stand in their places, and what has none stays as it is written", () => {
  const shown = preview(template, { "body.1": "Sari", "header.1": "42", "body.shop": "  " });
  expect(shown.header).toEqual({ kind: "text", text: "Order 42" });
  expect(shown.body).toBe("Hello Sari, your order from {{ shop }} is on its way.");
  expect(shown.footer).toBeUndefined();
  expect(shown.buttons).toEqual([{ type: "quick_reply", text: "Thanks" }]);
});

test("a value with a place in it is not filled again", () => {
  expect(preview(template, { "body.1": "{{shop}}", "body.shop": "Toko" }).body).toContain("Hello {{shop}},");
});

test("marks are what WhatsApp makes of them", () => {
  expect(pieces("a *bold* 2*3*4 _x_ https://blazz.example/a_b_c.")).toEqual([
    { text: "a ", mark: undefined },
    { text: "bold", mark: "bold" },
    { text: " 2*3*4 ", mark: undefined },
    { text: "x", mark: "italic" },
    { text: " ", mark: undefined },
    { text: "https://blazz.example/a_b_c.", mark: "link" },
  ]);
});
