import type { Messages } from "../index.ts";

export const problems: Messages["problems"] = {
  unreached: "Server tidak dapat dihubungi. Periksa sambungan Anda lalu coba lagi.",
  unauthenticated: "Anda sudah keluar. Masuk lagi.",
  forbidden: "Peran Anda tidak mengizinkan ini. Minta kepada pemilik atau admin ruang kerja.",
  not_found: "Ini sudah tidak ada.",
  conflict: "Orang lain mengubahnya sementara itu. Muat ulang lalu coba lagi.",
  wrong_credentials: "Surel atau kata sandi salah.",
  window_closed:
    "Sudah lebih dari 24 jam sejak orang ini terakhir menulis, jadi WhatsApp hanya mengirim templat.",
  opted_out: "Orang ini meminta untuk tidak dikirimi pesan.",
  blocked: "Kontak ini diblokir. Buka blokirnya untuk menulis kepadanya.",
  no_phone: "Kontak ini tidak punya nomor telepon.",
  phone_taken: "Sudah ada kontak dengan nomor telepon ini.",
  later: "Sedang sibuk. Coba lagi sebentar lagi.",
  rate_limited: "Terlalu banyak percobaan. Tunggu sebentar lalu coba lagi.",
  token_not_good: "Tautan ini sudah tidak berlaku. Minta yang baru.",
  invitation_not_good: "Undangan ini sudah tidak berlaku. Minta yang baru.",
  email_taken: "Sudah ada akun dengan alamat surel ini. Silakan masuk.",
  name_taken: "Nama ini sudah dipakai.",
  shortcut_taken: "Pintasan ini sudah dipakai.",
  number_connected: "Nomor ini sudah tersambung.",
  last_owner: "Ruang kerja memerlukan pemilik. Jadikan orang lain pemilik dulu.",
  changed: "Ini berubah sementara itu. Muat ulang lalu coba lagi.",
  internal: "Ada yang gagal di pihak kami. Coba lagi.",
};
