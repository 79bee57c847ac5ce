//! A person's phone: what somebody can write and do with it, and what businesses are told of that.
//!
//! Everything here is what the control plane takes as `POST /_control/phone`. An act is checked before
//! anything happens, so one that is refused has left no trace.

mod files;
mod received;

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use files::Attachment;

use crate::arrivals::Utterance;
use crate::core::{Core, lock};
use crate::fate::Step;
use crate::people::{Appearance, Person};
use crate::universe::{NUMBER, Number};
use crate::webhooks::{self, Said};

/// Somebody does something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Doing {
    /// The business's number; the first one of the universe when it is left out.
    phone_number_id: Option<String>,
    /// The person's number.
    from: String,
    /// The message that is answered: quoted, or the one whose button or row was chosen.
    context: Option<String>,
    /// A message that came from elsewhere.
    #[serde(default)]
    forwarded: bool,
    /// The advertisement that the person came from, as Meta describes it.
    referral: Option<Map<String, Value>>,
    does: Act,
}

/// What they do; the variant is the only field, such as `{"text": "Hello"}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    Text(String),
    Image(Attachment),
    Video(Attachment),
    Audio(Attachment),
    Document(Attachment),
    Sticker(Attachment),
    Location(Map<String, Value>),
    /// Cards as Meta writes them.
    Contacts(Vec<Value>),
    /// Without an emoji the reaction is taken back.
    Reaction {
        message_id: String,
        emoji: Option<String>,
    },
    /// A quick reply of a template.
    Button {
        text: String,
        payload: Option<String>,
    },
    /// A button or a row of the interactive message in `context`, by its id.
    Choice {
        id: String,
    },
    Order(Map<String, Value>),
    /// Something that WhatsApp does not pass on, such as a poll.
    Unsupported {
        #[serde(rename = "type")]
        kind: String,
    },
    Edit {
        message_id: String,
        text: String,
    },
    Revoke {
        message_id: String,
    },
    /// Any element of `messages`, as Meta writes it.
    Message(Map<String, Value>),
    /// Looks at one message, or at everything the number has sent them.
    Read {
        message_id: Option<String>,
    },
    /// Listens to a voice note.
    Play {
        message_id: String,
    },
    Block {},
    Unblock {},
    Marketing(Wish),
    ChangeNumber {
        to: String,
    },
}

/// What somebody wants of a business's marketing.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    Stop,
    Resume,
}

/// Who does something to whom.
struct Hand<'a> {
    core: &'a Core,
    number: &'a Number,
    from: String,
    /// Where files can be downloaded, for the addresses in webhooks.
    host: &'a str,
}

/// Does it. The answer has the id of the message, if it was one.
pub(crate) fn act(core: &Core, host: &str, doing: Doing) -> Result<Value, String> {
    let id = doing.phone_number_id.as_deref().unwrap_or(NUMBER);
    let number = core.universe.number(id);
    let number = number.ok_or_else(|| format!("no phone number has the id {id}"))?;
    let hand = Hand {
        core,
        number,
        from: digits(&doing.from)?,
        host,
    };
    let person = lock(&core.people).get(&hand.from);
    if let Some(to) = &person.moved_to {
        return Err(format!("this person has the number {to} now"));
    }
    let Doing {
        context,
        forwarded,
        referral,
        does,
        ..
    } = doing;
    let done = json!({"success": true});
    match does {
        Act::Read { message_id } => {
            let read = hand.reach(Step::Read, message_id.as_deref())?;
            return Ok(json!({"success": true, "read": read}));
        }
        Act::Play { message_id } => {
            hand.reach(Step::Played, Some(&message_id))?;
            return Ok(done);
        }
        Act::Block {} | Act::Unblock {} => {
            let blocks = matches!(does, Act::Block {});
            core.change_person(&hand.from, |person| {
                put(&mut person.blocked, number.id, blocks);
            });
            return Ok(done);
        }
        Act::Marketing(wish) => {
            let wish = match wish {
                Wish::Stop => "stop",
                Wish::Resume => "resume",
            };
            prefer(core, number, &hand.from, wish);
            return Ok(done);
        }
        _ if person.blocked.contains(number.id) => {
            return Err("this person has blocked the business and can write to it no more".into());
        }
        Act::ChangeNumber { to } => return hand.change_number(person, &digits(&to)?),
        _ => {}
    }
    let mut fields = hand.element(does, context.as_deref())?;
    if let Some(referral) = referral {
        fields.insert("referral".into(), Value::Object(referral));
    }
    if forwarded {
        fields.insert("context".into(), json!({"forwarded": true}));
    }
    let appearance = core.appearance(&hand.from);
    let id = core.receive(
        number,
        &Utterance {
            from: &hand.from,
            appearance: &appearance,
            said: Said::Other(&fields),
            context: context.as_deref(),
        },
    );
    Ok(json!({"id": id}))
}

/// Tells a business what somebody wants of its marketing, and keeps to it.
pub(crate) fn prefer(core: &Core, number: &Number, from: &str, value: &str) {
    core.change_person(from, |person| {
        put(&mut person.stopped, number.id, value == "stop");
    });
    let appearance = core.appearance(from);
    let mut wish = json!({
        "detail": "A person changed what they want to receive.",
        "category": "marketing_messages",
        "value": value,
        "timestamp": core.time.now_ms() / 1000,
    });
    if let Some(wa_id) = &appearance.wa_id {
        wish["wa_id"] = json!(wa_id);
    }
    if let Some(user_id) = &appearance.user_id {
        wish["user_id"] = json!(user_id);
    }
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": webhooks::metadata(number),
        "contacts": [webhooks::contact(&appearance)],
        "user_preferences": [wish],
    });
    let body = webhooks::of_value(number.waba, "user_preferences", &value);
    core.tell(number.waba, body);
}

impl Hand<'_> {
    /// The fields of the message that the act is.
    fn element(&self, act: Act, context: Option<&str>) -> Result<Map<String, Value>, String> {
        let (kind, inside) = match act {
            Act::Text(body) if body.is_empty() => return Err("text is empty".into()),
            Act::Text(body) => ("text", json!({"body": body})),
            Act::Image(file) => return self.file("image", file),
            Act::Video(file) => return self.file("video", file),
            Act::Audio(file) => return self.file("audio", file),
            Act::Document(file) => return self.file("document", file),
            Act::Sticker(file) => return self.file("sticker", file),
            Act::Location(place) => {
                let given = |field| place.get(field).is_some_and(Value::is_number);
                if !given("latitude") || !given("longitude") {
                    return Err("a location has a latitude and a longitude".into());
                }
                ("location", Value::Object(place))
            }
            Act::Contacts(cards) if cards.is_empty() => return Err("contacts are empty".into()),
            Act::Contacts(cards) => ("contacts", Value::Array(cards)),
            Act::Reaction { message_id, emoji } => {
                let mut reaction = json!({"message_id": message_id});
                if let Some(emoji) = emoji {
                    reaction["emoji"] = json!(emoji);
                }
                ("reaction", reaction)
            }
            Act::Button { .. } if context.is_none() => {
                return Err("a button needs the context it belongs to".into());
            }
            Act::Button { text, payload } => {
                let payload = payload.unwrap_or_else(|| text.clone());
                ("button", json!({"text": text, "payload": payload}))
            }
            Act::Choice { id } => ("interactive", self.choice(&id, context)?),
            Act::Order(order) if !order.contains_key("product_items") => {
                return Err("an order has product_items".into());
            }
            Act::Order(order) => ("order", Value::Object(order)),
            Act::Unsupported { kind } => {
                let error = json!({"code": 131_051, "title": "Message type unknown",
                    "message": "Message type unknown",
                    "error_data": {"details": "Message type is currently not supported."}});
                let mut fields = element("unsupported", json!({"type": kind}));
                fields.insert("errors".into(), json!([error]));
                return Ok(fields);
            }
            Act::Edit { message_id, text } => {
                self.own(&message_id)?;
                let message = json!({"type": "text", "text": {"body": text}});
                (
                    "edit",
                    json!({"original_message_id": message_id, "message": message}),
                )
            }
            Act::Revoke { message_id } => {
                self.own(&message_id)?;
                ("revoke", json!({"original_message_id": message_id}))
            }
            Act::Message(fields) if fields.contains_key("type") => return Ok(fields),
            Act::Message(_) => return Err("a message needs its type".into()),
            Act::Read { .. }
            | Act::Play { .. }
            | Act::Block {}
            | Act::Unblock {}
            | Act::Marketing(_)
            | Act::ChangeNumber { .. } => return Err("this is no message".into()),
        };
        Ok(element(kind, inside))
    }

    /// Somebody only edits and takes back what they wrote themselves.
    fn own(&self, id: &str) -> Result<(), String> {
        let ledger = lock(&self.core.ledger);
        let own = ledger.heard(id).is_some_and(|heard| {
            heard.from == self.from && heard.phone_number_id == self.number.id
        });
        match own {
            true => Ok(()),
            false => Err(format!("this person has not written {id} to this number")),
        }
    }

    /// The answer to an interactive message that was sent to them: one of its buttons, or one of its rows.
    fn choice(&self, id: &str, context: Option<&str>) -> Result<Value, String> {
        let wamid = context.ok_or("a choice needs the context it belongs to")?;
        let ledger = lock(&self.core.ledger);
        let mut sent = ledger.sent_to(&self.from).iter();
        let sent = sent
            .find_map(|entry| {
                ledger
                    .get(*entry)
                    .filter(|entry| entry.message.wamid == wamid)
            })
            .ok_or_else(|| format!("{wamid} was not sent to this person"))?;
        let action = sent
            .message
            .content
            .as_ref()
            .map(|content| &content["action"]);
        let action = action.unwrap_or(&Value::Null);
        let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        if let Some(button) = list(action, "buttons")
            .into_iter()
            .find(|button| button["reply"]["id"] == id)
        {
            return Ok(json!({"type": "button_reply", "button_reply": button["reply"]}));
        }
        let sections = list(action, "sections");
        let mut rows = sections.iter().flat_map(|section| list(section, "rows"));
        match rows.find(|row| row["id"] == id) {
            Some(row) => Ok(json!({"type": "list_reply", "list_reply": row})),
            None => Err(format!("{wamid} offers nothing with the id {id}")),
        }
    }

    /// Takes another number with everything that the person is like. Whatever is sent to the old one from
    /// now on reaches nobody (Meta: system messages).
    fn change_number(&self, person: Person, to: &str) -> Result<Value, String> {
        let (core, from) = (self.core, &self.from);
        if to == from {
            return Err("this is the number they have".into());
        }
        if lock(&core.people).get(to).moved_to.is_some() {
            return Err("this number was given up".into());
        }
        let before = core.appearance(from);
        core.change_person(to, |moved| *moved = person);
        core.change_person(from, |left| left.moved_to = Some(to.to_owned()));
        let after = core.appearance(to);
        let mut notice = json!({"type": match after.wa_id {
            Some(_) => "user_changed_number",
            None => "user_changed_user_id",
        }});
        if let Some(wa_id) = &after.wa_id {
            let name = &before.name;
            notice["body"] = json!(format!("User {name} changed from {from} to {to}"));
            notice["wa_id"] = json!(wa_id);
        }
        if let (Some(old), Some(new)) = (&before.user_id, &after.user_id) {
            notice["previous_user_id"] = json!(old);
            notice["user_id"] = json!(new);
        }
        let appearance = Appearance {
            user_id: after.user_id,
            ..before
        };
        let id = core.receive(
            self.number,
            &Utterance {
                from,
                appearance: &appearance,
                said: Said::Other(&element("system", notice)),
                context: None,
            },
        );
        Ok(json!({"id": id}))
    }
}

/// A message of a kind that is all in the object that bears its name.
fn element(kind: &str, inside: Value) -> Map<String, Value> {
    [("type".to_owned(), json!(kind)), (kind.to_owned(), inside)]
        .into_iter()
        .collect()
}

pub(crate) fn digits(number: &str) -> Result<String, String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    match (7..=15).contains(&digits.len()) {
        true => Ok(digits),
        false => Err(format!("{number} is not a phone number")),
    }
}

fn put(set: &mut std::collections::BTreeSet<String>, id: &str, inside: bool) {
    if inside {
        set.insert(id.to_owned());
    } else {
        set.remove(id);
    }
}
