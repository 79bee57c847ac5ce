/** Whether a key goes into a field, where it is a letter and no command. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target as HTMLElement | null;
  return target?.closest("input, textarea, select, [contenteditable], [role='dialog']") !== null;
}
