/** Who is signed in, and the workspace that is worked in. */
import { computed, ref } from "vue";
import { defineStore } from "pinia";
import { type Schemas, ask, caller, http } from "@/api/client.ts";
import { Problem } from "@/api/problem.ts";
import { isLanguage, speak } from "@/locales/index.ts";

export type Me = Schemas["MeOut"];

/** Whether somebody signed in with this browser. The proof itself is a cookie that scripts cannot see. */
const SIGNED_IN = "signed in";

export const useSession = defineStore("session", () => {
  const me = ref<Me>();
  /** Whether it is known if somebody is signed in. */
  const known = ref(false);

  const membership = computed(() => {
    const all = me.value?.workspaces ?? [];
    return all.find((one) => one.id === caller.workspace) ?? all.find((one) => one.id === me.value?.workspace) ?? all[0];
  });
  const workspace = computed(() => membership.value?.id ?? "");
  const role = computed(() => membership.value?.role ?? "agent");
  /** May send campaigns and change how the workspace is set up. Agents answer customers. */
  const isAdmin = computed(() => role.value === "owner" || role.value === "admin");

  async function enter(answer: Me): Promise<void> {
    me.value = answer;
    known.value = true;
    caller.csrfToken = answer.csrf_token;
    caller.workspace = membership.value?.id ?? "";
    if (isLanguage(answer.language)) await speak(answer.language);
    localStorage.setItem("language", answer.language);
    localStorage.setItem(SIGNED_IN, "yes");
  }

  function leave(): void {
    me.value = undefined;
    known.value = true;
    caller.csrfToken = "";
    caller.workspace = "";
    localStorage.removeItem(SIGNED_IN);
  }

  /** Asks the server who is signed in, once, and not where nobody has signed in: the answer is known. */
  async function load(): Promise<void> {
    if (known.value) return;
    if (localStorage.getItem(SIGNED_IN) === null) {
      leave();
      return;
    }
    try {
      await enter(await ask(http.GET("/v1/me")));
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
      leave();
    }
  }

  async function reload(): Promise<void> {
    await enter(await ask(http.GET("/v1/me")));
  }

  async function signIn(email: string, password: string): Promise<void> {
    await enter(await ask(http.POST("/v1/login", { body: { email, password } })));
  }

  async function register(body: Schemas["RegisterIn"]): Promise<void> {
    await enter(await ask(http.POST("/v1/register", { body })));
  }

  async function signOut(): Promise<void> {
    await ask(http.POST("/v1/logout"));
    leave();
  }

  return { me, known, workspace, membership, role, isAdmin, load, reload, enter, leave, signIn, register, signOut };
});
