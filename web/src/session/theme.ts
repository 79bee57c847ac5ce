/** Light or dark: what the person chose on this device, else what their system says. */
import { ref, watchEffect } from "vue";

export type Theme = "light" | "dark" | "system";

const dark = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = ref(dark.matches);
dark.addEventListener("change", (event) => (systemIsDark.value = event.matches));

const kept = localStorage.getItem("theme");
export const theme = ref<Theme>(kept === "light" || kept === "dark" ? kept : "system");

export function followTheme(): void {
  watchEffect(() => {
    const isDark = theme.value === "dark" || (theme.value === "system" && systemIsDark.value);
    document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
    localStorage.setItem("theme", theme.value);
  });
}
