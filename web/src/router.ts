/** Every address of the application. Pages are fetched when they are first opened. */
import { type RouteRecordRaw, createRouter, createWebHistory } from "vue-router";
import { useSession } from "@/session/session.ts";

declare module "vue-router" {
  interface RouteMeta {
    /** Seen without signing in. */
    open?: boolean;
  }
}

const guest = () => import("@/layouts/GuestLayout.vue");
const inside = () => import("@/layouts/AuthenticatedLayout.vue");

const routes: RouteRecordRaw[] = [
  {
    path: "/account",
    redirect: { name: "login" },
    component: guest,
    meta: { open: true },
    children: [
      { path: "/login", name: "login", component: () => import("@/features/account/Login.vue") },
      { path: "/register", name: "register", component: () => import("@/features/account/Register.vue") },
      { path: "/password", name: "password", component: () => import("@/features/account/Password.vue") },
      { path: "/invitation", name: "invitation", component: () => import("@/features/account/Invitation.vue") },
    ],
  },
  {
    path: "/",
    component: inside,
    children: [
      { path: "", name: "dashboard", component: () => import("@/features/dashboard/Dashboard.vue") },
      { path: "chat/:chat?", name: "chat", component: () => import("@/features/chat/Index.vue"), props: true },
      { path: "contacts", name: "contacts", component: () => import("@/features/contacts/Index.vue") },
      { path: ":rest(.*)*", name: "nowhere", component: () => import("@/layouts/Nowhere.vue") },
    ],
  },
];

export const router = createRouter({ history: createWebHistory(), routes });

router.beforeEach(async (to) => {
  const session = useSession();
  await session.load();
  const open = to.matched.some((record) => record.meta.open);
  if (!open && !session.me) return { name: "login", query: to.path === "/" ? {} : { to: to.fullPath } };
  if ((to.name === "login" || to.name === "register") && session.me) return { name: "dashboard" };
  return true;
});
