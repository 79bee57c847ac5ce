//! The templates of the two accounts. Data, written as calls so that it cannot fail to parse.

mod offers;
mod orders;
mod service;

use crate::template::{Button, Header, Template};

const EN: &str = "en_US";
const ID: &str = "id";
const UTILITY: &str = "UTILITY";
const MARKETING: &str = "MARKETING";
const AUTHENTICATION: &str = "AUTHENTICATION";
const OTP_URL: &str = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}";

/// Gives the templates their ids, from `first` on.
pub(super) fn numbered(first: u64, mut templates: Vec<Template>) -> Vec<Template> {
    for (id, template) in (600_000_000_000_000 + first..).zip(&mut templates) {
        template.id = id.to_string();
    }
    templates
}

/// The first tenant's: enough for a listing of two pages and more, of every kind.
pub(super) fn of_first() -> Vec<Template> {
    let mut all = orders::templates();
    all.extend(offers::templates());
    all.extend(service::templates());
    all
}

/// The second tenant's.
pub(super) fn of_second() -> Vec<Template> {
    vec![
        t(
            "book_ready",
            EN,
            UTILITY,
            "Hello {{1}}, your book {{2}} is ready to collect.",
            &["Ada", "Dune"],
        )
        .footer("Bluebird Books"),
        t(
            "order_update",
            EN,
            UTILITY,
            "Dear {{1}}, your parcel has left our shop.",
            &["Ada"],
        ),
        t(
            "reading_club",
            EN,
            MARKETING,
            "Our reading club meets on Friday. Come along!",
            &[],
        )
        .button(Button::QuickReply("I will come")),
    ]
}

const TRACK: Button = Button::Url {
    text: "Track",
    url: "https://shop.example/t/{{1}}",
};
const SHOP: Button = Button::Url {
    text: "Shop now",
    url: "https://shop.example/s/{{1}}",
};

fn t(
    name: &'static str,
    language: &'static str,
    category: &'static str,
    body: &'static str,
    examples: &'static [&'static str],
) -> Template {
    Template {
        id: String::new(),
        name,
        language,
        category,
        status: "APPROVED",
        named: false,
        header: None,
        body,
        examples,
        footer: None,
        buttons: Vec::new(),
    }
}

/// Steps of the catalogue's own notation.
impl Template {
    fn named(mut self) -> Self {
        self.named = true;
        self
    }

    fn header(mut self, header: Header) -> Self {
        self.header = Some(header);
        self
    }

    fn footer(mut self, footer: &'static str) -> Self {
        self.footer = Some(footer);
        self
    }

    fn button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }

    fn status(mut self, status: &'static str) -> Self {
        self.status = status;
        self
    }
}
