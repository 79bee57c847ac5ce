import { expect, test } from "vitest";

import { Sequence } from "../src/sequence.ts";
import { contact } from "./fakes.ts";

test("items are handed out in order, each once, whatever order they come in", () => {
  const sequence = new Sequence();
  sequence.restart(10);
  expect(sequence.take(12, [contact("b")])).toEqual([]);
  expect(sequence.hasGap).toBe(true);
  expect(sequence.take(13, [])).toEqual([]);
  expect(sequence.take(11, [contact("a")])).toEqual([contact("a"), contact("b")]);
  expect(sequence.position).toBe(13);
  expect(sequence.hasGap).toBe(false);
  expect(sequence.take(12, [contact("b")])).toEqual([]);
  expect(sequence.take(14, [contact("c")])).toEqual([contact("c")]);
});

test("nothing is handed out before the position is known", () => {
  const sequence = new Sequence();
  expect(sequence.take(1, [contact("a")])).toEqual([]);
  expect(sequence.position).toBeUndefined();
});

test("a restart forgets what lies before it and keeps what waits after it", () => {
  const sequence = new Sequence();
  sequence.restart(1);
  sequence.take(5, [contact("old")]);
  sequence.take(9, [contact("new")]);
  sequence.restart(8);
  expect(sequence.drain()).toEqual([contact("new")]);
  expect(sequence.position).toBe(9);
});

test("a gap that never closes does not fill the memory", () => {
  const sequence = new Sequence();
  sequence.restart(0);
  for (let number = 2; number <= 5000; number += 1) sequence.take(number, [contact("x")]);
  expect(sequence.take(1, [contact("first")])).toHaveLength(1001);
});
