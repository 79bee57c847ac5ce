import { expect, test } from "vitest";

import { CallError, Realtime, type State } from "../src/index.ts";
import { World, contact, settle } from "./fakes.ts";

interface Bench {
  world: World;
  client: Realtime;
  heard: string[];
  states: State[];
  errors: unknown[];
  reloads: () => number;
}

function bench(): Bench {
  const world = new World();
  const heard: string[] = [];
  const states: State[] = [];
  const errors: unknown[] = [];
  let reloads = 0;
  const client = new Realtime({
    api: world,
    surroundings: world.surroundings,
    onReload: () => (reloads += 1),
    onState: (state) => states.push(state),
    onError: (error) => errors.push(error),
  });
  client.on("contact.updated", (event) => heard.push(event.contact));
  return { world, client, heard, states, errors, reloads: () => reloads };
}

async function live(): Promise<Bench> {
  const all = bench();
  all.client.start();
  await all.world.open();
  return all;
}

test("it opens a socket with a ticket and hands out what comes", async () => {
  const { world, client, heard, states } = await live();
  expect(world.socket.url).toContain("ticket=1");
  world.socket.tell(world.happen("a"));
  world.socket.tell(world.happen("b"));
  expect(heard).toEqual(["a", "b"]);
  expect(states).toEqual(["connecting", "live"]);
  expect(client.position).toBe(102);
});

test("what happened while the socket was being opened is fetched", async () => {
  const { world, client, heard } = bench();
  client.start();
  await settle();
  world.happen("before anybody listened");
  await world.open();
  expect(heard).toEqual(["before anybody listened"]);
});

test("frames that overtake each other are put in order without asking", async () => {
  const { world, heard } = await live();
  const asked = world.asked.length;
  const [a, b] = [world.happen("a"), world.happen("b")];
  world.socket.tell(b);
  world.socket.tell(a);
  world.socket.tell(a);
  await world.clock.pass(199);
  expect(heard).toEqual(["a", "b"]);
  await world.clock.pass(1000);
  // The gap was looked at once more, and nothing came twice.
  expect(world.asked.length - asked).toBeLessThanOrEqual(1);
  expect(heard).toEqual(["a", "b"]);
});

test("a lost frame is fetched, page by page", async () => {
  const { world, heard } = await live();
  for (const name of ["a", "b", "c", "d"]) world.happen(name);
  world.socket.tell(world.happen("e"));
  expect(heard).toEqual([]);
  await world.clock.pass(200);
  expect(heard).toEqual(["a", "b", "c", "d", "e"]);
});

test("a frame that was lost last is noticed at the next pong", async () => {
  const { world, heard } = await live();
  world.happen("lost");
  await world.clock.pass(60_000);
  expect(world.socket.asked("ping")).toBe(2);
  world.socket.tell({ type: "pong", last: world.last });
  await world.clock.pass(200);
  expect(heard).toEqual(["lost"]);
});

test("a connection without an answer to a ping is given up", async () => {
  const { world, client } = await live();
  const first = world.socket;
  await world.clock.pass(60_000);
  await world.clock.pass(10_000);
  expect(first.closed).toBe(true);
  expect(client.state).toBe("waiting");
  await world.clock.pass(500);
  await world.open();
  expect(client.state).toBe("live");
  expect(world.sockets).toHaveLength(2);
});

test("after a drop it comes back, with all that happened meanwhile, once and in order", async () => {
  const { world, client, heard } = await live();
  world.socket.tell(world.happen("a"));
  world.socket.onclose?.();
  expect(client.state).toBe("waiting");
  for (const name of ["b", "c", "d"]) world.happen(name);
  // Half a minute without a network.
  world.trouble = new CallError(0, 0, "the server cannot be reached");
  await world.clock.pass(30_000);
  expect(client.state).not.toBe("live");
  world.trouble = undefined;
  await world.clock.pass(30_000);
  await world.open();
  world.socket.tell(world.happen("e"));
  await settle();
  expect(heard).toEqual(["a", "b", "c", "d", "e"]);
});

test("pauses grow to half a minute, and begin anew once it has been live", async () => {
  const { world, client } = bench();
  world.trouble = new CallError(503, 0, "down");
  client.start();
  const pauses: number[] = [];
  let before = 0;
  for (let tries = 2; tries <= 9; tries += 1) {
    while (world.tickets < tries) await world.clock.pass(125);
    pauses.push(world.clock.now - before);
    before = world.clock.now;
  }
  expect(pauses).toEqual([375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500]);
  world.trouble = undefined;
  await world.clock.pass(22_500);
  await world.open();
  const tickets = world.tickets;
  world.socket.onclose?.();
  await world.clock.pass(375);
  expect(world.tickets).toBe(tickets + 1);
});

test("the server's own wish to be left alone is followed", async () => {
  const { world, client } = bench();
  world.trouble = new CallError(429, 20_000, "too many");
  client.start();
  await world.clock.pass(19_999);
  expect(world.tickets).toBe(1);
  await world.clock.pass(1);
  expect(world.tickets).toBe(2);
});

test("who is not let in does not try again by itself", async () => {
  const { world, client, states } = bench();
  world.trouble = new CallError(401, 0, "sign in");
  client.start();
  await world.clock.pass(600_000);
  expect(states).toEqual(["connecting", "refused"]);
  expect(world.tickets).toBe(1);
  world.trouble = undefined;
  client.start();
  await world.open();
  expect(client.state).toBe("live");
});

test("a socket that is told nothing more is left for another", async () => {
  const { world, client } = await live();
  world.socket.tell({ type: "error", code: "closed", detail: "another ticket" });
  expect(client.state).toBe("waiting");
  world.trouble = new CallError(403, 0, "not a member");
  await world.clock.pass(1000);
  expect(client.state).toBe("refused");
});

test("a log that does not reach back says to read everything anew", async () => {
  const { world, client, heard, reloads } = await live();
  world.socket.onclose?.();
  for (const name of ["a", "b", "c"]) world.happen(name);
  world.oldest = 103;
  await world.clock.pass(1000);
  await world.open();
  expect(reloads()).toBe(1);
  expect(heard).toEqual([]);
  expect(client.position).toBe(103);
  world.socket.tell(world.happen("d"));
  expect(heard).toEqual(["d"]);
});

test("without a network it does nothing, and with it again it comes back at once", async () => {
  const { world, client, heard } = await live();
  client.offline();
  expect(world.socket.closed).toBe(true);
  world.happen("missed");
  await world.clock.pass(600_000);
  expect(world.tickets).toBe(1);
  client.online();
  await world.open();
  expect(heard).toEqual(["missed"]);
});

test("a stop ends everything", async () => {
  const { world, client, heard } = await live();
  const socket = world.socket;
  const late = socket.onmessage;
  client.stop();
  late?.({ data: JSON.stringify(world.happen("late")) });
  await world.clock.pass(600_000);
  expect(heard).toEqual([]);
  expect(client.state).toBe("stopped");
  expect(world.sockets).toHaveLength(1);
});

test("a socket that does not open is given up", async () => {
  const { world, client } = bench();
  client.start();
  await world.clock.pass(14_999);
  expect(client.state).toBe("connecting");
  await world.clock.pass(1);
  expect(client.state).toBe("waiting");
  expect(world.socket.closed).toBe(true);
});

test("a chat is watched for as long as anybody does, across connections", async () => {
  const { world, client } = await live();
  const told: string[] = [];
  client.on("recipient.updated", (event) => told.push(event.status));
  const [one, two] = [client.watch("chat_1"), client.watch("chat_1")];
  expect(world.socket.asked("watch")).toBe(1);
  const event = { type: "recipient.updated", chat: "chat_1", recipient: "cp_1.0.0", status: "read" };
  world.socket.tell({ type: "watched", events: [event] });
  expect(told).toEqual(["read"]);
  world.socket.onclose?.();
  await world.clock.pass(1000);
  await world.open();
  expect(world.socket.sent).toContainEqual({ type: "watch", chat: "chat_1" });
  one();
  one();
  expect(world.socket.asked("unwatch")).toBe(0);
  two();
  expect(world.socket.asked("unwatch")).toBe(1);
});

test("figures are asked for twice a second while somebody watches, and then no more", async () => {
  const { world, client } = await live();
  const states: string[] = [];
  const end = client.progress("cp_1", (progress) => states.push(progress.state));
  await world.clock.pass(2_000);
  expect(world.socket.asked("progress")).toBe(5);
  world.socket.tell({ type: "campaign.progress", campaign: "cp_1", state: "sending", statistics: {} });
  world.socket.tell({ type: "campaign.progress", campaign: "cp_2", state: "paused", statistics: {} });
  expect(states).toEqual(["sending"]);
  end();
  await world.clock.pass(10_000);
  expect(world.socket.asked("progress")).toBe(5);
});

test("a handler that throws and a frame that is not understood stop nothing", async () => {
  const { world, client, heard, errors } = await live();
  client.on("contact.updated", () => {
    throw new Error("a handler's own");
  });
  world.socket.tell(world.happen("a"));
  world.socket.tell("not JSON");
  world.socket.tell({ type: "something newer" });
  world.socket.tell({ message: "Internal server error" });
  world.socket.tell(world.happen("b"));
  expect(heard).toEqual(["a", "b"]);
  expect(errors).toHaveLength(5);
});

test("a handler that was taken away hears nothing more", async () => {
  const { world, client } = await live();
  const names: string[] = [];
  const off = client.on("contact.updated", (event) => names.push(event.contact));
  world.socket.tell(world.happen("a"));
  off();
  world.socket.tell({ type: "events", number: world.last + 1, events: [contact("b")] });
  expect(names).toEqual(["a"]);
});
