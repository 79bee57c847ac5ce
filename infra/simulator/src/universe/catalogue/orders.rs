//! Orders, payments and parcels: the utility templates, in English and Indonesian.

use super::{EN, ID, TRACK, UTILITY, t};
use crate::template::{Button, Header, Template};

pub(super) fn templates() -> Vec<Template> {
    vec![
        t(
            "order_update",
            EN,
            UTILITY,
            "Hello {{1}}, the order for {{2}} is on its way to {{3}}.",
            &["Ada", "Analytical Ltd", "Jakarta"],
        )
        .footer("Nusantara Foods"),
        t(
            "order_update",
            ID,
            UTILITY,
            "Halo {{1}}, pesanan untuk {{2}} sedang dikirim ke {{3}}.",
            &["Budi", "PT Maju", "Bandung"],
        )
        .footer("Nusantara Foods"),
        t(
            "welcome_named",
            EN,
            UTILITY,
            "Welcome {{first_name}}! We now deliver in {{city}} every day.",
            &["Ada", "Jakarta"],
        )
        .named(),
        t(
            "welcome_named",
            ID,
            UTILITY,
            "Selamat datang {{first_name}}! Kami kini melayani {{city}} setiap hari.",
            &["Budi", "Bandung"],
        )
        .named(),
        t(
            "order_shipped",
            EN,
            UTILITY,
            "Hello {{1}}, your parcel arrives on {{2}} at the latest.",
            &["Ada", "Friday"],
        )
        .header(Header::Text("Order {{1}}", &["42"]))
        .button(TRACK)
        .button(Button::QuickReply("Stop")),
        t(
            "order_shipped",
            ID,
            UTILITY,
            "Halo {{1}}, paket Anda tiba paling lambat hari {{2}}.",
            &["Budi", "Jumat"],
        )
        .header(Header::Text("Pesanan {{1}}", &["42"]))
        .button(Button::Url {
            text: "Lacak",
            url: "https://shop.example/t/{{1}}",
        }),
        t(
            "order_cancelled",
            EN,
            UTILITY,
            "Hello {{1}}, your order was cancelled as you asked.",
            &["Ada"],
        ),
        t(
            "order_cancelled",
            ID,
            UTILITY,
            "Halo {{1}}, pesanan Anda telah dibatalkan.",
            &["Budi"],
        ),
        t(
            "invoice_ready",
            EN,
            UTILITY,
            "Dear {{1}}, here is your invoice {{2}}.",
            &["Ada", "INV-42"],
        )
        .header(Header::Document),
        t(
            "invoice_ready",
            ID,
            UTILITY,
            "Yth. {{1}}, berikut tagihan {{2}} Anda.",
            &["Budi", "INV-42"],
        )
        .header(Header::Document),
        t(
            "statement_ready",
            EN,
            UTILITY,
            "Dear {{1}}, your statement of {{2}} is attached.",
            &["Ada", "November"],
        )
        .header(Header::Document)
        .button(TRACK)
        .button(Button::QuickReply("I have a question")),
        t(
            "payment_received",
            EN,
            UTILITY,
            "Thank you {{1}}, we received {{2}} today.",
            &["Ada", "Rp 150.000"],
        ),
        t(
            "payment_received",
            ID,
            UTILITY,
            "Terima kasih {{1}}, kami menerima {{2}} hari ini.",
            &["Budi", "Rp 150.000"],
        ),
        t(
            "payment_due",
            EN,
            UTILITY,
            "Hello {{1}}, {{2}} falls due on {{3}}, please pay in time.",
            &["Ada", "Rp 90.000", "1 May"],
        )
        .button(Button::Url {
            text: "Pay",
            url: "https://shop.example/pay",
        }),
        t(
            "payment_due",
            ID,
            UTILITY,
            "Halo {{1}}, {{2}} jatuh tempo pada {{3}}, mohon dibayar.",
            &["Budi", "Rp 90.000", "1 Mei"],
        ),
        t(
            "pickup_point",
            EN,
            UTILITY,
            "Hello {{1}}, your parcel waits here.",
            &["Ada"],
        )
        .header(Header::Location),
        t(
            "pickup_point",
            ID,
            UTILITY,
            "Halo {{1}}, paket Anda menunggu di sini.",
            &["Budi"],
        )
        .header(Header::Location),
        t(
            "refund_issued",
            EN,
            UTILITY,
            "Hello {{1}}, your refund was sent.",
            &["Ada"],
        )
        .status("PENDING"),
        t(
            "refund_issued",
            ID,
            UTILITY,
            "Halo {{1}}, pengembalian dana telah dikirim.",
            &["Budi"],
        )
        .status("PENDING"),
    ]
}
