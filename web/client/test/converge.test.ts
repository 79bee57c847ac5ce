/**
 * Two screens of a workspace against a real process, each cut off for a while: both end with the same
 * events in the same order, and a third of another workspace is told nothing. `DROP_SECONDS` says for how
 * long each is cut off; `make live` makes it 30.
 */
import { afterAll, beforeAll, expect, test } from "vitest";

import { api } from "../src/index.ts";
import { Process, Screen, pause, until } from "./process.ts";

const DROP = Number(process.env.DROP_SECONDS ?? 2) * 1000;

const server = new Process();
let url: string;
let key: Record<string, string>;

beforeAll(async () => {
  const demo = await server.start();
  url = demo.url;
  key = { authorization: `Bearer ${demo.api_key}` };
});

afterAll(() => server.stop());

/** Makes contacts one after the other until told to end; returns their ids. */
function work(): { end: () => Promise<string[]> } {
  const ended = new AbortController();
  const made = (async () => {
    const ids: string[] = [];
    for (let n = 0; !ended.signal.aborted; n += 1) {
      const response = await fetch(`${url}/v1/contacts`, {
        method: "POST",
        headers: { ...key, "content-type": "application/json" },
        body: JSON.stringify({ phone: `+62812${String(30_000_000 + n)}`, name: `Person ${n}` }),
      });
      expect(response.status, await response.clone().text()).toBe(201);
      ids.push(((await response.json()) as { id: string }).id);
      await pause(25);
    }
    return ids;
  })();
  return {
    end: () => {
      ended.abort();
      return made;
    },
  };
}

/** The headers of a new person with a workspace of their own. */
async function stranger(): Promise<Record<string, string>> {
  const response = await fetch(`${url}/v1/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      email: "stranger@example.com",
      password: "a long password",
      name: "A Stranger",
      workspace: "Elsewhere",
    }),
  });
  expect(response.status).toBe(201);
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const { csrf_token } = (await response.json()) as { csrf_token: string };
  return { cookie, "x-csrf-token": csrf_token };
}

test("two screens converge after each was cut off, and another workspace hears nothing", async () => {
  const [desk, laptop] = [new Screen(url, key), new Screen(url, key)];
  const other = new Screen(url, await stranger());
  const screens = [desk, laptop, other];
  await until("all are live", () => screens.every(({ client }) => client.state === "live"));
  await until("the positions are known", () => desk.client.position === laptop.client.position);
  const first = Math.max(desk.client.position ?? 0, laptop.client.position ?? 0);

  const working = work();
  await pause(500);
  desk.network.down();
  await pause(DROP / 2);
  laptop.network.down();
  await pause(DROP / 2);
  desk.network.up();
  await pause(DROP / 2);
  laptop.network.up();
  await pause(500);
  const made = await working.end();

  const told = (screen: Screen): string[] =>
    screen.events.flatMap((event) => (event.type === "contact.updated" ? [event.contact] : []));
  await until("both know of everybody", () =>
    [desk, laptop].every((screen) => new Set(told(screen)).size >= made.length),
  );
  await until("both are at the same place", () => desk.client.position === laptop.client.position);
  expect(desk.drops).toBeGreaterThan(0);
  expect(laptop.drops).toBeGreaterThan(0);
  expect(desk.events).toEqual(laptop.events);
  expect(new Set(told(desk))).toEqual(new Set(made));
  expect(desk.reloads + laptop.reloads).toBe(0);
  // What they were told is what the log says.
  const calls = api({ baseUrl: url, headers: () => key });
  const logged: unknown[] = [];
  for (let after = first, more = true; more; ) {
    const since = await calls.since(after);
    logged.push(...since.items.flatMap(({ events }) => events));
    after = since.last;
    more = since.more;
  }
  expect(desk.events).toEqual(logged);

  expect(other.client.state).toBe("live");
  expect(other.events).toEqual([]);
  expect(other.drops).toBe(0);
  for (const { client } of screens) client.stop();
});
