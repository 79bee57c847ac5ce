import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import vue from "eslint-plugin-vue";
import typescript from "typescript-eslint";

export default defineConfig(
  { ignores: ["node_modules", "dist", "client"] },
  js.configs.recommended,
  typescript.configs.strictTypeChecked,
  vue.configs["flat/recommended"],
  {
    languageOptions: {
      parserOptions: {
        parser: typescript.parser,
        projectService: { allowDefaultProject: ["eslint.config.js"] },
        extraFileExtensions: [".vue"],
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // TypeScript knows what exists.
      "no-undef": "off",
      // Every word on the screen comes from the locales.
      "vue/no-bare-strings-in-template": "error",
      "vue/no-v-html": "error",
      "vue/block-lang": ["error", { script: { lang: "ts" } }],
      "vue/component-api-style": ["error", ["script-setup"]],
      "vue/define-props-declaration": ["error", "type-based"],
      "vue/define-emits-declaration": ["error", "type-based"],
      "vue/no-unused-refs": "error",
      "vue/multi-word-component-names": "off",
      // Layout is the formatter's business, not a rule's.
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/first-attribute-linebreak": "off",
      "vue/require-default-prop": "off",
      "vue/attributes-order": "off",
    },
  },
  {
    // Features stand side by side: what one needs of another it takes from its index.
    files: ["src/features/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: "^@/features/[^/]+/(?!index\\.ts$).+",
              message: "Import what another feature offers from its index.",
            },
          ],
        },
      ],
    },
  },
);
