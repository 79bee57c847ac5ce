//! Passwords: changed by whoever knows the old one, or set anew by whoever reads the account's mail.
//!
//! Nothing here tells a stranger whether an account exists. The request for a mail does the same work for
//! every address: the account is looked up only where the mail is made.

use domain::id::UserId;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::audit::Action;
use crate::mail::{self, Occasion};
use crate::session::{self, Session};
use crate::store::Write;
use crate::store::commit::TRANSACTION_MAX;
use crate::user::{self, User};
use crate::{App, Error, secret, workspace};

const MIN: usize = 10;
const MAX: usize = 200;

/// How long the token of a mail is good.
pub(crate) const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// Whose password a token sets. It is found by the token's hash.
#[derive(Debug, Serialize, Deserialize)]
struct Reset {
    user: UserId,
    /// A hash of the stored password that it replaces: once that has changed, by whatever way, every
    /// older token is void.
    replaces: String,
    /// Unix seconds.
    ttl: i64,
}

/// Sets a new password, which ends all other sessions.
///
/// # Errors
/// The old password is wrong, or the new one not acceptable.
pub async fn change(app: &App, own: &Session, old: String, new: String) -> Result<(), Error> {
    check(&new).map_err(|error| at(error, "new_password"))?;
    let user = user::get(app, &own.user).await?;
    let wrong = || Error::invalid("old_password", "this is not your present password");
    if !secret::check_password(old, Some(user.password_hash.clone())).await? {
        return Err(wrong());
    }
    let set = set(app, &user, new).await?;
    replace(app, &user, vec![set], Action::PasswordChanged, Some(own))
        .await?
        .then_some(())
        .ok_or_else(wrong)
}

/// Asks for a mail with which a password can be set. It answers alike whether or not there is such an
/// account, and does the same work.
///
/// # Errors
/// The text cannot be an address, or the store or the queue cannot be reached.
pub async fn forgot(app: &App, email: &str) -> Result<(), Error> {
    let email = user::required_email(email)?;
    let (mail, write) = mail::begin(app, Occasion::PasswordReset { email })?;
    app.store.write(write).await?;
    mail::queue(app, &mail).await
}

/// A fresh token for a person; only its hash is stored.
pub(crate) async fn token(app: &App, user: &User) -> Result<String, Error> {
    let token = secret::random_token();
    let reset = Reset {
        user: user.id.clone(),
        replaces: secret::token_hash(&user.password_hash),
        ttl: (app.now() + TOKEN_LIFE).as_second(),
    };
    let key = app.store.password_reset(&secret::token_hash(&token));
    app.store.write(Write::create(key, &reset)?).await?;
    Ok(token)
}

/// Sets a new password with the token of a mail, which is good once, and ends all sessions.
///
/// # Errors
/// The token is unknown, used or too old, or the password is not acceptable.
pub async fn reset(app: &App, token: &str, new: String) -> Result<(), Error> {
    check(&new)?;
    let key = app.store.password_reset(&secret::token_hash(token.trim()));
    let reset: Option<Reset> = app.store.get(&key).await?;
    let reset = reset
        .filter(|reset| reset.ttl > app.now().as_second())
        .ok_or_else(not_good)?;
    let user = user::get(app, &reset.user).await.map_err(|_| not_good())?;
    if secret::token_hash(&user.password_hash) != reset.replaces {
        return Err(not_good());
    }
    let set = set(app, &user, new).await?;
    // Of two who use it at once one finds it.
    let used = Write::delete(key).if_present();
    replace(app, &user, vec![used, set], Action::PasswordReset, None)
        .await?
        .then_some(())
        .ok_or_else(not_good)
}

/// Whether a text may be a password. Its length is all that is asked: rules about its letters make
/// passwords that people write down.
///
/// # Errors
/// It is too short or too long.
pub(crate) fn check(password: &str) -> Result<(), Error> {
    if (MIN..=MAX).contains(&password.chars().count()) {
        Ok(())
    } else {
        let message = format!("a password has {MIN} to {MAX} characters");
        Err(Error::invalid("password", message))
    }
}

/// The new password, in place of the one that was read.
async fn set(app: &App, user: &User, new: String) -> Result<Write, Error> {
    let hash = secret::hash_password(new).await?;
    Write::update(app.store.user(&user.id))
        .set("password_hash", &hash)?
        .if_equals("password_hash", &user.password_hash)
}

/// The new password, the ends of the sessions and the entries in the logs, together. `false`: it was not
/// done, because somebody else was first.
async fn replace(
    app: &App,
    user: &User,
    mut writes: Vec<Write>,
    action: Action,
    keep: Option<&Session>,
) -> Result<bool, Error> {
    let workspaces = workspace::ids_of_user(app, &user.id).await?;
    writes.extend(user::entries(app, &user.id, &workspaces, action)?);
    let mut ends = session::ends(app, &user.id, keep.map(|session| &session.id)).await?;
    // So many sessions at once are no person's; what does not fit ends right after.
    let rest = ends.split_off(ends.len().min(TRANSACTION_MAX - writes.len()));
    writes.extend(ends);
    let done = app.store.transact(writes).await?.yes();
    if done {
        session::finish(app, rest).await?;
    }
    Ok(done)
}

fn not_good() -> Error {
    Error::refused(
        "token_not_good",
        "this link was used already or is more than an hour old; ask for a new one",
    )
}

/// The same refusal at a field of another name.
fn at(error: Error, field: &str) -> Error {
    match error {
        Error::Invalid(fields) => Error::Invalid(
            fields
                .into_iter()
                .map(|refused| crate::error::FieldError {
                    field: field.to_owned(),
                    ..refused
                })
                .collect(),
        ),
        other => other,
    }
}
