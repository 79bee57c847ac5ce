import "@fontsource-variable/inter/wght.css";
import "./styles/base.css";
import "./styles/parts.css";

import { QueryClient, VueQueryPlugin } from "@tanstack/vue-query";
import { createPinia } from "pinia";
import { createApp } from "vue";
import App from "./App.vue";
import { caller } from "./api/client.ts";
import { problemOf } from "./api/problem.ts";
import { i18n, preferred, speak } from "./locales/index.ts";
import { router } from "./router.ts";
import { useSession } from "./session/session.ts";
import { followTheme } from "./session/theme.ts";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What changes is told over the websocket, so nothing is read again merely because time passed.
      staleTime: 60_000,
      retry: (failures, error) => problemOf(error).isPassing && failures < 3,
    },
  },
});

const app = createApp(App).use(createPinia()).use(i18n).use(VueQueryPlugin, { queryClient: queries });

caller.onSignedOut = () => {
  const session = useSession();
  if (session.me === undefined) return undefined;
  session.leave();
  queries.clear();
  void router.push({ name: "login", query: { to: router.currentRoute.value.fullPath } });
  return undefined;
};

followTheme();
await speak(preferred());
app.use(router).mount("#app");
