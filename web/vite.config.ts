import vue from "@vitejs/plugin-vue";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { type Plugin, defineConfig } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What `make run` started, for `npm run dev`. */
const server = process.env["BLAZZ_URL"] ?? "http://localhost:8787";

/** Lays a compressed copy beside every text file, so that nobody compresses while somebody waits. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(at("./dist"), { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|html|svg|webmanifest)$/u.test(name)) continue;
        const path = join(at("./dist"), name);
        const content = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(content));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [
    compressed(),
    vue(),
  ],
  resolve: { alias: { "@": at("./src"), "@blazz/client": at("./client/src/index.ts") } },
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_I18N_LEGACY_API__: "false",
    __VUE_I18N_FULL_INSTALL__: "false",
    __INTLIFY_PROD_DEVTOOLS__: "false",
    // Messages are compiled to trees instead of functions, which a strict policy of the page forbids.
    __INTLIFY_JIT_COMPILATION__: "true",
    __INTLIFY_DROP_MESSAGE_COMPILER__: "false",
  },
  build: {
    target: "es2022",
    sourcemap: false,
    // A policy that allows no inline data for scripts and styles stays simple when nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/_files", "/ws", "/_local", "/webhooks"].map((path) => [
        path,
        { target: server, ws: true },
      ]),
    ),
  },
});
