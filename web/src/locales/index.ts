/** The languages of the screen. English is part of the first page; another is fetched when it is chosen. */
import { createI18n } from "vue-i18n";
import en from "./en/index.ts";

/** The same keys as English, in other words. */
export type Messages = Shape<typeof en>;
type Shape<T> = { [K in keyof T]: T[K] extends string ? string : Shape<T[K]> };

export const LANGUAGES = { en: "English", id: "Bahasa Indonesia" } as const;
export type Language = keyof typeof LANGUAGES;

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: "en",
  fallbackLocale: "en",
  messages: { en } as unknown as Record<Language, Messages>,
});

export function isLanguage(text: unknown): text is Language {
  return typeof text === "string" && text in LANGUAGES;
}

/** Speaks this language from now on. */
export async function speak(language: Language): Promise<void> {
  if (language === "id" && !i18n.global.availableLocales.includes("id")) {
    const { default: id } = await import("./id/index.ts");
    i18n.global.setLocaleMessage("id", id);
  }
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
}

/** What was chosen here last, else what the browser asks for. */
export function preferred(): Language {
  const kept = localStorage.getItem("language");
  if (isLanguage(kept)) return kept;
  return navigator.language.toLowerCase().startsWith("id") ? "id" : "en";
}
