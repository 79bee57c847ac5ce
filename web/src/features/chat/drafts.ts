/** What was begun in each chat and not sent; it outlives the page. */
const PREFIX = "draft ";

export function draftOf(chat: string): string {
  return localStorage.getItem(PREFIX + chat) ?? "";
}

export function keepDraft(chat: string, text: string): void {
  if (text.trim() === "") localStorage.removeItem(PREFIX + chat);
  else localStorage.setItem(PREFIX + chat, text);
}
