import type { Messages } from "../index.ts";

export const templates: Messages["templates"] = {
  buttons: "Tombol",
  copyCode: "Salin kode",
  preview: "Tampilannya di telepon",
};
