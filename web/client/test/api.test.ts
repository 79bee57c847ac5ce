import { expect, test } from "vitest";

import { CallError, api } from "../src/index.ts";

test("a call carries its headers, and a failure says whether to try again", async () => {
  const calls: [string, RequestInit | undefined][] = [];
  let answer = (): Response => Response.json({ url: "wss://x", expires_at: "", last: 1 });
  const calling = api({
    baseUrl: "https://blazz.example",
    headers: () => ({ authorization: "Bearer sk_live_1" }),
    fetch: (url, init) => {
      calls.push([url as string, init]);
      return Promise.resolve(answer());
    },
  });
  await calling.ticket();
  expect(calls[0]?.[0]).toBe("https://blazz.example/v1/realtime/ticket");
  expect(calls[0]?.[1]).toMatchObject({
    method: "POST",
    headers: { authorization: "Bearer sk_live_1" },
  });
  answer = () => new Response("", { status: 429, headers: { "retry-after": "7" } });
  const busy = await calling.since(5).catch((error: unknown) => error);
  expect(calls[1]?.[0]).toBe("https://blazz.example/v1/events?after=5");
  expect(busy).toBeInstanceOf(CallError);
  expect(busy).toMatchObject({ status: 429, retryAfter: 7000, isFinal: false });
  answer = () => new Response("", { status: 401 });
  expect(await calling.ticket().catch((error: unknown) => error)).toMatchObject({ isFinal: true });
  answer = () => {
    throw new TypeError("fetch failed");
  };
  expect(await calling.ticket().catch((error: unknown) => error)).toMatchObject({ status: 0 });
});
