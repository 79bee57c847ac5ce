//! Mails on their way out: what they say is made when they are sent.
//!
//! An act writes down the occasion of a mail and queues the mail's id. The function behind the queue draws
//! the token, stores its hash and hands the letter over, so a token in plain is in the mail and nowhere
//! else: not in a table, not in a queue where it would lie for days for operators to read.
//!
//! A queue delivers twice, and nobody who carries mails takes a word for "this one you have already". So
//! whoever makes a mail takes a lease on it first and marks it as settled afterwards; only one who dies
//! between handing over and marking lets it be sent again, because no mail would be worse than two.

mod words;

use std::time::Duration;

use domain::id::{InvitationId, MailId, WorkspaceId};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::invitation::{self as invitations, Mailed};
use crate::ports::{Letter, NotMailed};
use crate::store::Write;
use crate::store::commit::Updated;
use crate::task::{self, Notify};
use crate::{App, Error, password, user};

pub(crate) use words::{Words, invitation};

/// How long one who makes a mail may be alive: the function's time-out and a little more.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// After this time a mail is of no use any more.
const LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The first pause before a mail is tried again; each is twice the one before, up to the longest.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_MAX: Duration = Duration::from_mins(30);

/// Why somebody gets a mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Occasion {
    /// Somebody says that they forgot the password of this address, which may be nobody's.
    PasswordReset { email: String },
    /// They are invited to a workspace.
    Invitation {
        workspace: WorkspaceId,
        invitation: InvitationId,
    },
}

/// A mail, from its occasion to its end.
#[derive(Debug, Serialize, Deserialize)]
struct Mail {
    id: MailId,
    occasion: Occasion,
    /// Milliseconds: until then somebody may be making it.
    lease: i64,
    tries: u32,
    settled: bool,
    /// Unix seconds.
    ttl: i64,
}

/// A mail that is not stored yet, and the write that stores it; [`queue`] comes afterwards.
pub(crate) fn begin(app: &App, occasion: Occasion) -> Result<(MailId, Write), Error> {
    let id = MailId::fresh();
    let life = match &occasion {
        Occasion::PasswordReset { .. } => password::TOKEN_LIFE,
        Occasion::Invitation { .. } => LIFE,
    };
    let mail = Mail {
        id: id.clone(),
        occasion,
        lease: 0,
        tries: 0,
        settled: false,
        ttl: (app.now() + life).as_second(),
    };
    let write = Write::create(app.store.mail(&id), &mail)?;
    Ok((id, write))
}

/// Queues a mail that is stored.
///
/// # Errors
/// The queue cannot be reached.
pub(crate) async fn queue(app: &App, mail: &MailId) -> Result<(), Error> {
    let task = Notify { mail: mail.clone() };
    app.enqueue(&task, Duration::ZERO).await
}

/// Makes a mail and hands it over.
///
/// # Errors
/// Somebody else is making it, or it cannot be sent now; both pass.
pub async fn run(app: App, task: Notify) -> Result<(), Error> {
    let now = app.now();
    let key = app.store.mail(&task.mail);
    let lease = Write::update(key.clone())
        .set("lease", &(now + LEASE).as_millisecond())?
        .add("tries", 1)
        .if_equals("settled", &false)?
        .if_below("lease", &now.as_millisecond())?
        .if_present();
    let mail: Mail = match app.store.update_returning(lease).await? {
        Updated::Yes(mail) => mail,
        Updated::No(Some(Mail {
            settled: false,
            lease,
            ..
        })) => {
            let left = lease.saturating_sub(now.as_millisecond()).max(1);
            return Err(Error::Later {
                after: Duration::from_millis(left.unsigned_abs()),
            });
        }
        Updated::No(_) => return Ok(()),
    };
    if mail.ttl <= now.as_second() {
        tracing::warn!(mail = %mail.id, "a mail comes too late to be of use and is not sent");
        return settle(&app, &mail).await;
    }
    let Some(letter) = letter(&app, &mail.occasion).await? else {
        return settle(&app, &mail).await;
    };
    match app.mail.send(letter).await {
        Ok(()) => {
            settle(&app, &mail).await?;
            went(&app, &mail.occasion, Mailed::Sent).await
        }
        Err(NotMailed::Refused(reason)) => {
            tracing::warn!(mail = %mail.id, reason, "a mail was refused");
            settle(&app, &mail).await?;
            went(&app, &mail.occasion, Mailed::Refused).await
        }
        Err(NotMailed::Unavailable(reason)) => {
            let after = pause(mail.tries);
            tracing::warn!(mail = %mail.id, reason, ?after, "a mail will be tried again");
            let free = Write::update(key).set("lease", &0)?.if_present();
            app.store.write(free).await?;
            Err(Error::Later { after })
        }
    }
}

/// The letter of an occasion; `None` when it has passed, or when there is nobody to write to.
async fn letter(app: &App, occasion: &Occasion) -> Result<Option<Letter>, Error> {
    match occasion {
        Occasion::PasswordReset { email } => {
            let Some(user) = user::by_email(app, email).await? else {
                return Ok(None);
            };
            let token = password::token(app, &user).await?;
            let url = format!("{}/password#{token}", app.config.public_url);
            let words = words::password_reset(user.language.unwrap_or_default(), &user.name, url);
            Ok(Some(words.letter(user.email)))
        }
        Occasion::Invitation {
            workspace,
            invitation,
        } => invitations::letter(app, workspace, invitation).await,
    }
}

async fn settle(app: &App, mail: &Mail) -> Result<(), Error> {
    let write = Write::update(app.store.mail(&mail.id))
        .set("settled", &true)?
        .if_present();
    app.store.write(write).await?;
    Ok(())
}

/// Whoever invited sees what became of the mail.
async fn went(app: &App, occasion: &Occasion, mailed: Mailed) -> Result<(), Error> {
    match occasion {
        Occasion::PasswordReset { .. } => Ok(()),
        Occasion::Invitation {
            workspace,
            invitation,
        } => invitations::mailed(app, workspace, invitation, mailed).await,
    }
}

fn pause(tries: u32) -> Duration {
    task::pause(tries, PAUSE, PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_an_hour() {
        assert_eq!(pause(1), Duration::from_secs(10));
        assert_eq!(pause(2), Duration::from_secs(20));
        assert_eq!(pause(8), Duration::from_secs(1280));
        assert_eq!(pause(9), PAUSE_MAX);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
    }
}
