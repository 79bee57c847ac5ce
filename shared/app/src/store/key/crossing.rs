//! The look-ups that cross workspaces; [`crate::store::global`] hands them out.

use domain::id::{MailId, SessionId, UserId};
use domain::portfolio::Hour;

use super::{DUE, Key, Range, Table};

pub(in crate::store) fn due_pk(shard: u32) -> String {
    format!("DUE#{shard:x}")
}

/// Beside the messages on their way out, so that neither waits for the other.
pub(in crate::store) fn due_fetch_pk(shard: u32) -> String {
    format!("DUEFETCH#{shard:x}")
}

pub(in crate::store) fn due_fetches(shard: u32) -> Range {
    Range::of_index(Table::Chats, DUE, due_fetch_pk(shard))
}

pub(in crate::store) fn due_pending(shard: u32) -> Range {
    Range::of_index(Table::Chats, DUE, due_pk(shard))
}

pub(in crate::store) fn due(shard: u32) -> Range {
    Range::of_index(Table::Main, DUE, due_pk(shard))
}

pub(in crate::store) fn user(user: &UserId) -> Key {
    Key::new(Table::Main, format!("USER#{user}"), "META")
}

pub(in crate::store) fn user_workspace(user: &UserId, workspace: &str) -> Key {
    Key::new(
        Table::Main,
        format!("USER#{user}"),
        format!("WS#{workspace}"),
    )
}

pub(in crate::store) fn user_workspaces(user: &UserId) -> Range {
    Range::new(Table::Main, format!("USER#{user}"), "WS#")
}

pub(in crate::store) fn email(email: &str) -> Key {
    Key::new(
        Table::Main,
        format!("EMAIL#{}", email.to_lowercase()),
        "IDENTITY",
    )
}

pub(in crate::store) fn api_key_hash(hash: &str) -> Key {
    Key::new(Table::Main, format!("APIKEYHASH#{hash}"), "IDENTITY")
}

pub(in crate::store) fn session(user: &UserId, session: &SessionId) -> Key {
    Key::new(
        Table::Ephemeral,
        format!("SESSION#{user}"),
        session.as_str(),
    )
}

pub(in crate::store) fn sessions(user: &UserId) -> Range {
    Range::new(Table::Ephemeral, format!("SESSION#{user}"), "")
}

pub(in crate::store) fn password_reset(hash: &str) -> Key {
    Key::new(
        Table::Ephemeral,
        format!("PASSWORDRESET#{hash}"),
        "PASSWORDRESET",
    )
}

pub(in crate::store) fn mail(mail: &MailId) -> Key {
    Key::new(Table::Ephemeral, format!("MAIL#{mail}"), "MAIL")
}

pub(in crate::store) fn invitation_hash(hash: &str) -> Key {
    Key::new(Table::Main, format!("INVITATIONHASH#{hash}"), "IDENTITY")
}

pub(in crate::store) fn limit(what: &str, parts: usize, hash: &str) -> Key {
    Key::new(
        Table::Ephemeral,
        format!("LIMIT#{what}#{parts}#{hash}"),
        "LIMIT",
    )
}

pub(in crate::store) fn portfolio_hour(portfolio: &str, hour: Hour) -> Key {
    Key::new(
        Table::Ephemeral,
        format!("PORTFOLIO#{portfolio}"),
        format!("HOUR#{:08}", hour.0),
    )
}

pub(in crate::store) fn portfolio_hours(portfolio: &str) -> Range {
    Range::new(Table::Ephemeral, format!("PORTFOLIO#{portfolio}"), "HOUR#")
}

pub(in crate::store) fn phone_number_id(id: &str) -> Key {
    Key::new(Table::Main, format!("PHONEID#{id}"), "IDENTITY")
}

pub(in crate::store) fn webhook_address(address: &str) -> Key {
    Key::new(Table::Main, format!("WEBHOOK#{address}"), "IDENTITY")
}

pub(in crate::store) fn waba_channel(waba_id: &str, channel: &str) -> Key {
    Key::new(
        Table::Main,
        format!("WABA#{waba_id}"),
        format!("CHANNEL#{channel}"),
    )
}

pub(in crate::store) fn waba_channels(waba_id: &str) -> Range {
    Range::new(Table::Main, format!("WABA#{waba_id}"), "CHANNEL#")
}

fn bodies_pk(hour: i64, shard: u8) -> String {
    format!("BODIES#{hour:08}#{shard:x}")
}

pub(in crate::store) fn webhook_bodies(hour: i64, shard: u8, millis: i64, token: &str) -> Key {
    let sk = format!("{millis:015}#{token}");
    Key::new(Table::Ephemeral, bodies_pk(hour, shard), sk)
}

pub(in crate::store) fn all_webhook_bodies(hour: i64, shard: u8) -> Range {
    Range::new(Table::Ephemeral, bodies_pk(hour, shard), "")
}

pub(in crate::store) fn ticket(hash: &str) -> Key {
    Key::new(Table::Ephemeral, format!("TICKET#{hash}"), "TICKET")
}

pub(in crate::store) fn socket_owner(id: &str) -> Key {
    Key::new(Table::Ephemeral, format!("SOCKET#{id}"), "IDENTITY")
}
