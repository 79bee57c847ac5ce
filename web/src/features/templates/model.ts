/** Templates as the API describes them, and how one reads with values in its places. */
import type { Schemas } from "@/api/client.ts";

export type TemplateOut = Schemas["TemplateOut"];

export type TemplateHeader =
  | { type: "text"; text: string }
  | { type: "image" | "video" | "document" | "location" };

export type TemplateButton =
  | { type: "url"; text: string; url: string }
  | { type: "quick_reply"; text: string }
  | { type: "phone_number"; text: string; phone_number: string }
  | { type: "copy_code"; text: string | null }
  | { type: "other"; kind: string; text: string };

export interface TemplateComponents {
  header: TemplateHeader | null;
  body: string;
  footer: string | null;
  buttons: TemplateButton[];
  unsupported: string[];
}

/** A value for each variable: `body.1` → `Sari`. */
export type Values = Record<string, string>;

/** A message as its reader sees it. */
export interface Preview {
  header: { kind: "text"; text: string } | { kind: "file"; type: string } | undefined;
  body: string;
  footer: string | undefined;
  buttons: { type: string; text: string }[];
}

/** The document leaves the shape open; it is that of `TemplateComponents`. */
export function componentsOf(template: TemplateOut): TemplateComponents {
  return template.components as unknown as TemplateComponents;
}

export function examplesOf(template: TemplateOut): Values {
  return template.examples as unknown as Values;
}

/** Puts values into a text of the template; a variable without one stays as it is written. */
export function filled(text: string, part: "body" | "header", values: Values): string {
  return text.replace(/\{\{\s*([a-z0-9_]+)\s*\}\}/giu, (written, name: string) => {
    const value = values[`${part}.${name}`]?.trim();
    return value === undefined || value === "" ? written : value;
  });
}

export function preview(template: TemplateOut, values: Values): Preview {
  const { header, body, footer, buttons } = componentsOf(template);
  return {
    header: headerOf(header, values),
    body: filled(body, "body", values),
    footer: footer ?? undefined,
    buttons: buttons.map((button) => ({ type: button.type, text: button.text ?? "" })),
  };
}

/** What a campaign or a chat sent, as the API renders it. */
export function rendered(message: Schemas["MessageOut"]): Preview {
  const header = message.header as { type?: string; text?: string } | null | undefined;
  return {
    header:
      header?.type === "text"
        ? { kind: "text", text: header.text ?? "" }
        : header
          ? { kind: "file", type: header.type ?? "document" }
          : undefined,
    body: message.body,
    footer: message.footer ?? undefined,
    buttons: message.buttons.map((button) => ({ type: button.kind, text: button.text })),
  };
}

function headerOf(header: TemplateHeader | null, values: Values): Preview["header"] {
  if (!header) return undefined;
  if (header.type === "text") return { kind: "text", text: filled(header.text, "header", values) };
  return { kind: "file", type: header.type };
}

/** Pieces of a text with WhatsApp's marks: `*bold*`, `_italic_`, `~struck~`, `` `code` ``. */
export interface Piece {
  text: string;
  mark: "bold" | "italic" | "struck" | "code" | "link" | undefined;
}

const MARKS = { "*": "bold", _: "italic", "~": "struck", "`": "code" } as const;
const MARKED = /(?<![\p{L}\p{N}])([*_~`])(?=\S)([^\n]*?\S)\1(?![\p{L}\p{N}])|https?:\/\/[^\s<>"]+/gu;

export function pieces(text: string): Piece[] {
  const all: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(MARKED)) {
    if (found.index > from) all.push({ text: text.slice(from, found.index), mark: undefined });
    const sign = found[1] as keyof typeof MARKS | undefined;
    all.push(sign ? { text: found[2] ?? "", mark: MARKS[sign] } : { text: found[0], mark: "link" });
    from = found.index + found[0].length;
  }
  if (from < text.length) all.push({ text: text.slice(from), mark: undefined });
  return all;
}
