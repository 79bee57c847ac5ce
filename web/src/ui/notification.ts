/** Short messages about what was done or went wrong, at the edge of the page. */
import { defineStore } from "pinia";
import { ref } from "vue";
import { problemOf } from "@/api/problem.ts";
import { words } from "@/api/words.ts";

export interface Notification {
  id: number;
  kind: "success" | "error" | "info";
  text: string;
}

/** How long one stays. What went wrong stays longer, for it has to be read. */
const STAY = { success: 4000, info: 6000, error: 9000 };

export const useNotification = defineStore("notification", () => {
  const shown = ref<Notification[]>([]);
  let last = 0;

  function show(kind: Notification["kind"], text: string): void {
    last += 1;
    const id = last;
    shown.value = [...shown.value.filter((other) => other.text !== text), { id, kind, text }].slice(-4);
    setTimeout(() => close(id), STAY[kind]);
  }

  function close(id: number): void {
    shown.value = shown.value.filter((notification) => notification.id !== id);
  }

  return {
    shown,
    close,
    showSuccess: (text: string) => show("success", text),
    showInfo: (text: string) => show("info", text),
    /** Says what went wrong with whatever was thrown. */
    showError: (error: unknown) => show("error", words(problemOf(error))),
  };
});
