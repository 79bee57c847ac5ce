//! One-time codes, appointments and other service templates.

use super::{AUTHENTICATION, EN, ID, OTP_URL, UTILITY, t};
use crate::template::{Button, Header, Template};

pub(super) fn templates() -> Vec<Template> {
    vec![
        t(
            "login_code",
            EN,
            AUTHENTICATION,
            "*{{1}}* is your verification code.",
            &["482913"],
        )
        .button(Button::Url {
            text: "Copy code",
            url: OTP_URL,
        }),
        t(
            "login_code",
            ID,
            AUTHENTICATION,
            "*{{1}}* adalah kode verifikasi Anda.",
            &["482913"],
        )
        .button(Button::Url {
            text: "Salin kode",
            url: OTP_URL,
        }),
        t(
            "appointment",
            EN,
            UTILITY,
            "Hello {{name}}, we expect you on {{day}} at {{hour}} o'clock.",
            &["Ada", "Monday", "10"],
        )
        .named()
        .button(Button::QuickReply("Confirm"))
        .button(Button::QuickReply("Move it")),
        t(
            "appointment",
            ID,
            UTILITY,
            "Halo {{name}}, kami tunggu hari {{day}} pukul {{hour}} ya.",
            &["Budi", "Senin", "10"],
        )
        .named()
        .button(Button::QuickReply("Setuju"))
        .button(Button::QuickReply("Ubah")),
        t(
            "feedback",
            EN,
            UTILITY,
            "Hello {{1}}, how did we do?",
            &["Ada"],
        )
        .button(Button::QuickReply("Well"))
        .button(Button::QuickReply("Badly")),
        t(
            "feedback",
            ID,
            UTILITY,
            "Halo {{1}}, bagaimana layanan kami?",
            &["Budi"],
        )
        .button(Button::QuickReply("Baik"))
        .button(Button::QuickReply("Kurang")),
        t(
            "call_us",
            EN,
            UTILITY,
            "Hello {{1}}, please call us about your order.",
            &["Ada"],
        )
        .button(Button::Phone {
            text: "Call",
            number: "+15550100002",
        }),
        t(
            "call_us",
            ID,
            UTILITY,
            "Halo {{1}}, mohon hubungi kami tentang pesanan Anda.",
            &["Budi"],
        )
        .button(Button::Phone {
            text: "Telepon",
            number: "+15550100002",
        }),
        t(
            "hello_world",
            EN,
            UTILITY,
            "Welcome and congratulations!",
            &[],
        )
        .header(Header::Text("Hello World", &[]))
        .footer("A sample message"),
        t(
            "holiday_hours",
            EN,
            UTILITY,
            "We are closed on {{1}} and back on {{2}} as usual.",
            &["Monday", "Tuesday"],
        ),
        t(
            "holiday_hours",
            ID,
            UTILITY,
            "Kami tutup hari {{1}} dan buka kembali hari {{2}} ya.",
            &["Senin", "Selasa"],
        ),
        t(
            "reopening",
            EN,
            UTILITY,
            "Dear {{1}}, our shop is open again.",
            &["Ada"],
        )
        .status("IN_APPEAL"),
    ]
}
