//! Sockets: opened with a ticket, heard, closed.
//!
//! A socket is told only what its holder may read, and for as long as that was looked at lately: each ping
//! looks again, and a socket that does not ping is told nothing after [`TRUST`]. So a member who was
//! removed and a key that was revoked hear nothing more within minutes, without a look at each event;
//! whoever removes them cuts their sockets off at once with [`cut_off`].

use domain::id::{ApiKeyId, ChatId, UserId, WorkspaceId};
use domain::realtime::{Ask, Frame};
use domain::workspace::Permission;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::watch::{self, Watch};
use super::{answering, log, presence, progress, ticket};
use crate::actor::Who;
use crate::api_key::ApiKey;
use crate::store::{Scope, Write};
use crate::{App, Error, workspace};

/// For how long the permissions of a socket count without a new look: three pings.
pub(super) const TRUST: SignedDuration = SignedDuration::from_mins(3);

/// The gateway closes a socket after two hours (API Gateway: websocket quotas), and it may be that nobody
/// is told.
const LIFETIME: SignedDuration = SignedDuration::from_mins(125);

/// How many chats one socket may watch.
const WATCHED_MAX: usize = 20;

/// Whose a socket is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    Member(UserId),
    Key(ApiKeyId),
}

impl Holder {
    #[must_use]
    pub fn of(who: &Who) -> Self {
        match who {
            Who::Member { user, .. } => Self::Member(user.clone()),
            Who::Key { key, .. } => Self::Key(key.clone()),
        }
    }

    /// The member; a key is nobody.
    pub(super) fn member(&self) -> Option<&UserId> {
        match self {
            Self::Member(user) => Some(user),
            Self::Key(_) => None,
        }
    }
}

/// An open socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Socket {
    pub(super) id: String,
    pub(super) holder: Holder,
    /// What the holder might do when it was last looked at.
    permissions: Vec<Permission>,
    pub(super) checked_at: Timestamp,
    pub(super) opened_at: Timestamp,
    /// It did not ping for too long, and others were told so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) silent: bool,
    /// Unix seconds.
    pub(super) ttl: i64,
}

impl Socket {
    pub(super) fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether it is to be told anything now.
    pub(super) fn trusted(&self, now: Timestamp) -> bool {
        self.ttl > now.as_second() && now.duration_since(self.checked_at) < TRUST
    }
}

/// The workspace of a socket.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    workspace: WorkspaceId,
    ttl: i64,
}

/// What the gateway of the websockets reports. A socket is named by the gateway's id of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A client wants to open a socket with the ticket in its address.
    Connect { socket: String, ticket: String },
    /// A client sent a frame.
    Message { socket: String, text: String },
    /// The socket is closed. This is not always reported.
    Disconnect { socket: String },
}

/// Carries out what the gateway reports. The frame that is returned is the answer to the client.
///
/// # Errors
/// The ticket is not good, or the store cannot be reached.
pub async fn handle(app: App, call: Call) -> Result<Option<Frame>, Error> {
    match call {
        Call::Connect { socket, ticket } => {
            Box::pin(connect(&app, socket, &ticket)).await?;
            Ok(None)
        }
        Call::Message { socket, text } => Box::pin(hear(&app, &socket, &text)).await.map(Some),
        Call::Disconnect { socket } => {
            Box::pin(disconnect(&app, &socket)).await?;
            Ok(None)
        }
    }
}

async fn connect(app: &App, id: String, text: &str) -> Result<(), Error> {
    let ticket = ticket::spend(app, text).await?;
    let scope = app.store.workspace(&ticket.workspace);
    let now = app.now();
    let ttl = (now + LIFETIME).as_second();
    let owner = Owner {
        workspace: ticket.workspace.clone(),
        ttl,
    };
    let socket = Socket {
        permissions: permissions(app, scope, &ticket.holder).await?,
        holder: ticket.holder,
        checked_at: now,
        opened_at: now,
        silent: false,
        ttl,
        id,
    };
    app.store
        .transact(vec![
            Write::put(app.store.socket_owner(&socket.id), &owner)?,
            Write::put(scope.socket(&socket.id), &socket)?,
        ])
        .await?;
    presence::came(app, scope, &socket).await;
    Ok(())
}

async fn disconnect(app: &App, id: &str) -> Result<(), Error> {
    let owner: Option<Owner> = app.store.get(&app.store.socket_owner(id)).await?;
    let Some(owner) = owner else {
        return Ok(());
    };
    let scope = app.store.workspace(&owner.workspace);
    let socket: Option<Socket> = app.store.get(&scope.socket(id)).await?;
    forget(app, scope, id).await?;
    if let Some(socket) = socket {
        presence::went(app, scope, &socket).await;
    }
    Ok(())
}

/// Answers a frame. What cannot be answered is told to the client and is no error of ours.
async fn hear(app: &App, id: &str, text: &str) -> Result<Frame, Error> {
    let ask: Ask = match serde_json::from_str(text) {
        Ok(ask) => ask,
        Err(error) => return Ok(refusal("unreadable", error.to_string())),
    };
    let owner: Option<Owner> = app.store.get(&app.store.socket_owner(id)).await?;
    let Some(owner) = owner else {
        return Ok(closed());
    };
    let scope = app.store.workspace(&owner.workspace);
    let socket: Option<Socket> = app.store.get(&scope.socket(id)).await?;
    let Some(socket) = socket else {
        return Ok(closed());
    };
    let answer = match ask {
        Ask::Ping {} => ping(app, scope, &socket).await,
        Ask::Watch { chat } => watch_chat(app, scope, &socket, chat).await,
        Ask::Unwatch { chat } => {
            let gone = Write::delete(scope.watch(&chat, id));
            app.store.write(gone).await?;
            watching(app, scope, id).await
        }
        Ask::Answering { chat } => answer_in(app, scope, &socket, chat).await,
        Ask::Progress { campaign } => match allowed(app, &socket, Permission::ReadCampaigns) {
            Ok(()) => progress::progress(app, scope, &campaign).await,
            Err(error) => Err(error),
        },
    };
    match answer {
        Err(error @ (Error::NotFound { .. } | Error::Forbidden { .. } | Error::Refused { .. })) => {
            Ok(refusal(error.code(), error.to_string()))
        }
        other => other,
    }
}

/// Looks again at what the holder may read.
async fn ping(app: &App, scope: Scope<'_>, socket: &Socket) -> Result<Frame, Error> {
    let permissions = match permissions(app, scope, &socket.holder).await {
        Ok(permissions) => permissions,
        Err(Error::Unauthenticated) => {
            forget(app, scope, &socket.id).await?;
            presence::went(app, scope, socket).await;
            return Ok(closed());
        }
        Err(error) => return Err(error),
    };
    let checked = Write::update(scope.socket(&socket.id))
        .set("permissions", &permissions)?
        .set("checked_at", &app.now())?
        .remove("silent")
        .if_present();
    if !app.store.write(checked).await?.yes() {
        return Ok(closed());
    }
    if !socket.trusted(app.now()) {
        presence::came(app, scope, socket).await;
    }
    presence::notice(app, scope).await;
    let last = log::last(app, scope).await?;
    Ok(Frame::Pong { last })
}

async fn watch_chat(
    app: &App,
    scope: Scope<'_>,
    socket: &Socket,
    chat: ChatId,
) -> Result<Frame, Error> {
    allowed(app, socket, Permission::ReadChats)?;
    crate::chat::find(app, scope, &chat).await?;
    let watched = of_socket(app, scope, &socket.id).await?;
    if watched.len() >= WATCHED_MAX && watched.iter().all(|watch| watch.chat != chat) {
        let message = format!("a socket watches at most {WATCHED_MAX} chats");
        return Err(Error::refused("too_many", message));
    }
    let watch = Watch {
        chat,
        socket: socket.id.clone(),
        ttl: socket.ttl,
    };
    let key = scope.watch(&watch.chat, &socket.id);
    app.store.write(Write::put(key, &watch)?).await?;
    watching(app, scope, &socket.id).await
}

async fn answer_in(
    app: &App,
    scope: Scope<'_>,
    socket: &Socket,
    chat: ChatId,
) -> Result<Frame, Error> {
    allowed(app, socket, Permission::WriteChats)?;
    let user = socket.holder.member().ok_or_else(answering::nobody)?;
    answering::tell(app, scope, &chat, user).await?;
    Ok(Frame::Answering { chat })
}

async fn watching(app: &App, scope: Scope<'_>, id: &str) -> Result<Frame, Error> {
    let watched = of_socket(app, scope, id).await?;
    Ok(Frame::Watching {
        chats: watched.into_iter().map(|watch| watch.chat).collect(),
    })
}

async fn of_socket(app: &App, scope: Scope<'_>, id: &str) -> Result<Vec<Watch>, Error> {
    let mut watched = watch::all(app, scope).await?;
    watched.retain(|watch| watch.socket == id);
    Ok(watched)
}

/// What a socket asks for itself it gets as its holder might at the last ping.
fn allowed(app: &App, socket: &Socket, permission: Permission) -> Result<(), Error> {
    if socket.trusted(app.now()) && socket.may(permission) {
        Ok(())
    } else {
        Err(Error::Forbidden {
            needed: permission.as_str(),
        })
    }
}

/// What the holder may do now.
///
/// # Errors
/// [`Error::Unauthenticated`] when they may do nothing here any more.
async fn permissions(
    app: &App,
    scope: Scope<'_>,
    holder: &Holder,
) -> Result<Vec<Permission>, Error> {
    match holder {
        Holder::Member(user) => match workspace::role(app, scope.workspace, user).await {
            Ok(role) => {
                let all = Permission::ALL.into_iter();
                Ok(all.filter(|permission| role.may(*permission)).collect())
            }
            Err(Error::NotFound { .. }) => Err(Error::Unauthenticated),
            Err(error) => Err(error),
        },
        Holder::Key(key) => {
            let key: Option<ApiKey> = app.store.get(&scope.api_key(key)).await?;
            let now = app.now();
            let living = key.filter(|key| key.expires_at.is_none_or(|expiry| expiry > now));
            living.map(|key| key.scopes).ok_or(Error::Unauthenticated)
        }
    }
}

/// Tells the sockets of a member or a key nothing more, from now on. What cannot be reached ends with the
/// sockets' next pings.
pub async fn cut_off(app: &App, scope: Scope<'_>, holder: &Holder) {
    let cut = async {
        for socket in all(app, scope).await? {
            if socket.holder == *holder {
                forget(app, scope, &socket.id).await?;
                presence::went(app, scope, &socket).await;
            }
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = cut.await {
        tracing::warn!(
            workspace = %scope.workspace,
            error = error.chain(),
            "sockets are not cut off at once"
        );
    }
}

pub(super) async fn all(app: &App, scope: Scope<'_>) -> Result<Vec<Socket>, Error> {
    app.store.all(&scope.sockets()).await
}

/// Removes a socket with all it watches; one that is removed already is no error.
pub(super) async fn forget(app: &App, scope: Scope<'_>, id: &str) -> Result<(), Error> {
    let mut gone = vec![
        Write::delete(app.store.socket_owner(id)),
        Write::delete(scope.socket(id)),
    ];
    let watched = of_socket(app, scope, id).await?;
    gone.extend(
        watched
            .iter()
            .map(|watch| Write::delete(scope.watch(&watch.chat, id))),
    );
    app.store.transact(gone).await?;
    Ok(())
}

fn closed() -> Frame {
    refusal(
        "closed",
        "this socket is told nothing more; open another with a new ticket".to_owned(),
    )
}

fn refusal(code: &str, detail: String) -> Frame {
    Frame::Error {
        code: code.to_owned(),
        detail,
    }
}
