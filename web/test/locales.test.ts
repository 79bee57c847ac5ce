import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import en from "@/locales/en/index.ts";
import id from "@/locales/id/index.ts";

type Tree = { [key: string]: string | Tree };

function keys(tree: Tree, above = ""): string[] {
  return Object.entries(tree).flatMap(([key, below]) =>
    typeof below === "string" ? [`${above}${key}`] : keys(below, `${above}${key}.`),
  );
}

function texts(tree: Tree): string[] {
  return Object.values(tree).flatMap((below) => (typeof below === "string" ? [below] : texts(below)));
}

const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/gu)].map(([place]) => place).sort();

test("both languages say everything, with the same places for values", () => {
  expect(keys(id)).toEqual(keys(en));
  expect(texts(id).map(places)).toEqual(texts(en).map(places));
  expect(texts(id).filter((text) => text.trim() === "")).toEqual([]);
});

test("every text that a page asks for exists", () => {
  const known = new Set(keys(en));
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => /\.(vue|ts)$/u.test(file));
  const asked = files.flatMap((file) =>
    [...readFileSync(join("src", file), "utf8").matchAll(/\bt\(\s*["']([\w.]+)["']/gu)].map((found) => `${file} ${found[1]}`),
  );
  expect(asked.length).toBeGreaterThan(30);
  expect(asked.filter((one) => !known.has(one.split(" ")[1] ?? ""))).toEqual([]);
});
