import type { Messages } from "../index.ts";

export const account: Messages["account"] = {
  language: "Bahasa",
  email: "Alamat surel",
  password: "Kata sandi",
  newPassword: "Kata sandi baru",
  passwordHint: "Paling sedikit 10 karakter.",
  name: "Nama Anda",
  workspace: "Nama ruang kerja Anda",
  workspaceHint: "Biasanya nama usaha Anda.",
  login: {
    title: "Masuk",
    action: "Masuk",
    forgot: "Lupa kata sandi?",
    noAccount: "Belum punya akun?",
    register: "Buat akun",
  },
  register: {
    title: "Buat akun",
    action: "Buat akun",
    have: "Sudah punya akun?",
    login: "Masuk",
  },
  forgot: {
    title: "Atur ulang kata sandi",
    hint: "Kami mengirim tautan ke alamat surel Anda untuk memilih kata sandi baru.",
    action: "Kirim tautan",
    sent: "Jika ada akun dengan alamat ini, tautannya sedang dikirim. Tautan berlaku satu jam.",
    back: "Kembali ke halaman masuk",
  },
  reset: {
    title: "Pilih kata sandi baru",
    action: "Simpan kata sandi",
    done: "Kata sandi Anda sudah diubah. Masuk dengan yang baru.",
  },
  invitation: {
    title: "Bergabung dengan {workspace}",
    invited: "{inviter} mengundang Anda sebagai {role}.",
    invitedBySomebody: "Anda diundang sebagai {role}.",
    accept: "Bergabung dengan ruang kerja",
    asSomebodyElse: "Masuk sebagai orang lain",
    signIn: "Saya punya akun: masuk dan bergabung",
    register: "Buat akun dan bergabung",
    missing: "Tautan ini tidak lengkap. Buka lagi dari surel.",
  },
  roles: { owner: "pemilik", admin: "admin", agent: "agen" },
};
