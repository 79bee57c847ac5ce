/* What tools that do not read components themselves take every one of them for. */
declare module "*.vue" {
  import type { Component } from "vue";

  const component: Component;
  export default component;
}
