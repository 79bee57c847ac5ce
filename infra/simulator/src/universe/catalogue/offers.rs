//! Marketing templates, with what marketing brings: pictures, coupons, pauses and refusals.

use super::{EN, ID, MARKETING, SHOP, t};
use crate::template::{Button, Header, Template};

pub(super) fn templates() -> Vec<Template> {
    vec![
        t(
            "spring_sale",
            EN,
            MARKETING,
            "Hi {{1}}, everything is {{2}} off this week only.",
            &["Ada", "20%"],
        )
        .header(Header::Image)
        .footer("Reply STOP to opt out")
        .button(SHOP),
        t(
            "spring_sale",
            ID,
            MARKETING,
            "Hai {{1}}, semua produk diskon {{2}} khusus minggu ini.",
            &["Budi", "20%"],
        )
        .header(Header::Image)
        .footer("Balas STOP untuk berhenti")
        .button(Button::Url {
            text: "Belanja",
            url: "https://shop.example/s/{{1}}",
        }),
        t(
            "paused_offer",
            EN,
            MARKETING,
            "Hi {{1}}, a small gift waits for you.",
            &["Ada"],
        )
        .status("PAUSED"),
        t(
            "paused_offer",
            ID,
            MARKETING,
            "Hai {{1}}, ada hadiah kecil untuk Anda.",
            &["Budi"],
        )
        .status("PAUSED"),
        t(
            "disabled_offer",
            EN,
            MARKETING,
            "Hi {{1}}, click here now.",
            &["Ada"],
        )
        .status("DISABLED"),
        t(
            "rejected_offer",
            EN,
            MARKETING,
            "Hi {{1}}, you have won.",
            &["Ada"],
        )
        .status("REJECTED"),
        t(
            "product_video",
            EN,
            MARKETING,
            "Hi {{1}}, see how it is made.",
            &["Ada"],
        )
        .header(Header::Video)
        .button(SHOP),
        t(
            "product_video",
            ID,
            MARKETING,
            "Hai {{1}}, lihat cara pembuatannya.",
            &["Budi"],
        )
        .header(Header::Video),
        t(
            "coupon",
            EN,
            MARKETING,
            "Hi {{1}}, this code is for you only.",
            &["Ada"],
        )
        .button(Button::CopyCode("SAVE25"))
        .button(SHOP),
        t(
            "coupon",
            ID,
            MARKETING,
            "Hai {{1}}, kode ini khusus untuk Anda.",
            &["Budi"],
        )
        .button(Button::CopyCode("HEMAT25")),
        // Everything a template can ask for at once: a file, a code, a link and answers.
        t(
            "members_day",
            EN,
            MARKETING,
            "Hi {{1}}, members get {{2}} off today.",
            &["Ada", "25%"],
        )
        .header(Header::Image)
        .footer("Reply STOP to opt out")
        .button(Button::CopyCode("MEMBER25"))
        .button(SHOP)
        .button(Button::QuickReply("Remind me"))
        .button(Button::QuickReply("Stop promotions")),
        t(
            "factory_tour",
            EN,
            MARKETING,
            "Hi {{first_name}}, would you like to see how we cook?",
            &["Ada"],
        )
        .named()
        .header(Header::Video)
        .button(Button::QuickReply("Yes, please"))
        .button(Button::QuickReply("Stop promotions")),
        t(
            "new_menu",
            EN,
            MARKETING,
            "Our new menu is here. Have a look!",
            &[],
        )
        .button(Button::QuickReply("Show me"))
        .button(Button::QuickReply("Not now")),
        t(
            "new_menu",
            ID,
            MARKETING,
            "Menu baru kami sudah hadir. Silakan lihat!",
            &[],
        )
        .button(Button::QuickReply("Tampilkan"))
        .button(Button::QuickReply("Nanti saja")),
        t(
            "win_back_named",
            EN,
            MARKETING,
            "We miss you {{first_name}}, come back to us.",
            &["Ada"],
        )
        .named(),
        t(
            "win_back_named",
            ID,
            MARKETING,
            "Kami rindu {{first_name}}, mari kembali.",
            &["Budi"],
        )
        .named(),
        t(
            "weekend_deal",
            "es",
            MARKETING,
            "Hola {{1}}, este fin de semana hay ofertas.",
            &["Ana"],
        ),
        t(
            "weekend_deal",
            "pt_BR",
            MARKETING,
            "Olá {{1}}, neste fim de semana há ofertas.",
            &["Ana"],
        ),
        t(
            "weekend_deal",
            EN,
            MARKETING,
            "Hi {{1}}, there are deals this weekend \u{1f389}.",
            &["Ada"],
        ),
    ]
}
