//! Tickets: a browser cannot send headers when it opens a websocket, and what stands in an address ends up
//! in logs. So an address carries a ticket that is good once and for half a minute.

use domain::id::WorkspaceId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::socket::Holder;
use super::{log, reads};
use crate::store::Write;
use crate::{Actor, App, Error, secret};

const LIFETIME: SignedDuration = SignedDuration::from_secs(30);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) workspace: WorkspaceId,
    pub(super) holder: Holder,
    /// Unix seconds; DynamoDB deletes expired items some time later, so it is checked as well.
    ttl: i64,
}

/// A ticket with the only copy of its text.
#[derive(Debug, Clone)]
pub struct NewTicket {
    pub ticket: String,
    pub expires_at: Timestamp,
    /// The number of the log's last item: what is read from now on is at least as new.
    pub last: u64,
}

/// Makes a ticket that opens one socket.
///
/// # Errors
/// The actor may read nothing.
pub async fn ticket(app: &App, actor: &Actor) -> Result<NewTicket, Error> {
    reads(actor)?;
    let scope = app.store.workspace(&actor.workspace);
    let text = secret::random_token();
    let expires_at = app.now() + LIFETIME;
    let ticket = Ticket {
        workspace: actor.workspace.clone(),
        holder: Holder::of(&actor.who),
        ttl: expires_at.as_second(),
    };
    let key = app.store.ticket(&secret::token_hash(&text));
    app.store.write(Write::put(key, &ticket)?).await?;
    Ok(NewTicket {
        ticket: text,
        expires_at,
        last: log::last(app, scope).await?,
    })
}

/// Takes a ticket. Of two who present it at once one gets it.
///
/// # Errors
/// There is no such ticket, it was used, or its time is over.
pub(super) async fn spend(app: &App, text: &str) -> Result<Ticket, Error> {
    let key = app.store.ticket(&secret::token_hash(text));
    let ticket: Ticket = app.store.get(&key).await?.ok_or(Error::Unauthenticated)?;
    let spent = app.store.write(Write::delete(key).if_present()).await?;
    if !spent.yes() || ticket.ttl <= app.now().as_second() {
        return Err(Error::Unauthenticated);
    }
    Ok(ticket)
}
