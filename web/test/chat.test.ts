import { expect, test } from "vitest";
import {
  type Message,
  clock,
  firstUnread,
  merged,
  overlaps,
  rowsOf,
  shortcutOf,
  windowOf,
} from "@/features/chat/model.ts";

function said(id: string, at: string, direction: Message["direction"] = "inbound"): Message {
  return { id, at, direction, kind: "text", text: id };
}

const morning = [said("1", "2026-11-25T09:00:00"), said("2", "2026-11-25T09:01:00")];

test("a message read anew takes the place of the one that was seen", () => {
  const delivered = { ...morning[0], status: "delivered" } as Message;
  expect(merged(morning, [delivered, said("0", "2026-11-25T08:00:00")]).map((one) => [one.id, one.status])).toEqual([
    ["0", undefined],
    ["1", "delivered"],
    ["2", undefined],
  ]);
});

test("a gap between what was seen and what was read is noticed", () => {
  expect(overlaps(morning, [said("2", "2026-11-25T09:01:00")])).toBe(true);
  expect(overlaps(morning, [said("9", "2026-11-25T11:00:00")])).toBe(false);
});

test("days and the first unread message part a thread, and turns stay together", () => {
  const rows = rowsOf([...morning, said("3", "2026-11-26T07:00:00"), said("4", "2026-11-26T07:00:10", "outbound")], "2");
  expect(rows.map((row) => (row.type === "message" ? `${row.key}${row.joined ? " joined" : ""}` : row.type))).toEqual([
    "date",
    "1",
    "unread",
    "2",
    "date",
    "3",
    "4",
  ]);
  expect(rowsOf(morning, undefined).at(-1)).toMatchObject({ key: "2", joined: true });
});

test("the unread messages are the newest of the person", () => {
  const all = [...morning, said("3", "2026-11-25T09:02:00", "outbound"), said("4", "2026-11-25T09:03:00")];
  expect(firstUnread(all, 2)).toBe("2");
  expect(firstUnread(all, 0)).toBeUndefined();
  expect(firstUnread(all, 9)).toBe("1");
});

test("the window says how urgent it is", () => {
  const until = "2026-11-25T12:00:00Z";
  const at = (time: string): string => windowOf({ window_open_until: until }, Date.parse(time)).state;
  expect(at("2026-11-25T09:00:00Z")).toBe("open");
  expect(at("2026-11-25T11:30:00Z")).toBe("soon");
  expect(at("2026-11-25T11:55:00Z")).toBe("closing");
  expect(at("2026-11-25T12:00:00Z")).toBe("closed");
  expect(windowOf({}, 0).state).toBe("closed");
  expect(clock(65_179_000)).toBe("18:06:19");
});

test("a slash begins a shortcut only at the beginning of the field", () => {
  expect(shortcutOf("/pri")).toBe("pri");
  expect(shortcutOf("/")).toBe("");
  expect(shortcutOf("and/or")).toBeUndefined();
  expect(shortcutOf("/two words")).toBeUndefined();
});
