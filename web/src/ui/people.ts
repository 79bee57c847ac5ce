/** The first letters of the first and the last word of a name; of a number its last two digits. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [first = "", last = ""] = [words[0], words.length > 1 ? words.at(-1) : ""];
  if (/^\+?[\d\s-]+$/u.test(name)) return name.replace(/\D/gu, "").slice(-2);
  const letter = (word: string): string => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? "";
  return (letter(first) + letter(last)).toUpperCase();
}

/** A hue for an id, the same wherever it is shown. */
export function tint(id: string): number {
  let hash = 7;
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return hash;
}
