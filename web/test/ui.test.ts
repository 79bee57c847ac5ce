import { expect, test } from "vitest";
import { Problem, problemOf } from "@/api/problem.ts";
import { initials, tint } from "@/ui/people.ts";

test("initials are of the first and the last word, and of a number its end", () => {
  expect(initials("Sari Dewi Lestari")).toBe("SL");
  expect(initials("budi")).toBe("B");
  expect(initials("+62 812-3456-7890")).toBe("90");
  expect(initials(" 🌸 Ayu ")).toBe("A");
  expect(tint("ct_1")).toBe(tint("ct_1"));
});

test("a problem is read from whatever answered", () => {
  const refused = Problem.of(422, {
    code: "invalid",
    detail: "no",
    errors: [{ field: "content.text", message: "too long" }],
  });
  expect(refused.of("content")).toBe("too long");
  expect(refused.isPassing).toBe(false);
  expect(Problem.of(502, "<html>").message).toBe("HTTP 502");
  expect(Problem.of(502, "<html>").isPassing).toBe(true);
  expect(problemOf("odd").message).toBe("odd");
});
