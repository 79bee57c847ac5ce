export { default as MarkedText } from "./MarkedText.vue";
export { default as MessagePreview } from "./MessagePreview.vue";
export { default as PhonePreview } from "./PhonePreview.vue";
export {
  type Preview,
  type TemplateOut,
  type Values,
  componentsOf,
  examplesOf,
  preview,
  rendered,
} from "./model.ts";
