//! Invitations to a workspace, by mail to one address or by a link for whoever has it.
//!
//! A mail's invitation is named by its address, so an address has one at a time however often it is
//! invited. The token is stored as a hash; that of a mail is drawn when the mail is made.

use domain::id::{InvitationId, MailId, UserId, WorkspaceId};
use domain::language::Language;
use domain::realtime::Event;
use domain::workspace::{Permission, Role};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::actor::Who;
use crate::audit::{self, Action, By};
use crate::mail::{self, Occasion};
use crate::session::{self, Session};
use crate::store::key::Key;
use crate::store::{Committed, Scope, Write};
use crate::user::{self, User};
use crate::workspace::{self, Membership};
use crate::{Actor, App, Error, member, realtime, secret};

mod letter;

pub(crate) use letter::{letter, mailed};

/// How long an invitation is good.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// How many people one link may bring.
const USES_MAX: u32 = 100;

/// How many invitations a workspace may have at a time. Two that are made at one instant may pass it.
const OPEN_MAX: usize = 200;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    pub id: InvitationId,
    pub workspace: WorkspaceId,
    /// Whom it was mailed to, who alone may accept it; a link is for whoever has it.
    pub email: Option<String>,
    pub role: Role,
    pub language: Option<Language>,
    /// Who invited; `None` for an API key.
    pub invited_by: Option<UserId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub max_uses: u32,
    pub uses: u32,
    /// What became of the mail; a link has none.
    pub mail: Option<Mailed>,
    /// `None`: the mail was not made yet.
    pub(crate) token_hash: Option<String>,
}

/// What became of an invitation's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mailed {
    Queued,
    Sent,
    /// The address does not take it.
    Refused,
}

/// Whose a token is.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    workspace: WorkspaceId,
    invitation: InvitationId,
}

/// What a caller gives to invite somebody.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Without one it is a link.
    pub email: Option<String>,
    pub role: Role,
    /// How many people a link may bring; one when absent.
    pub max_uses: Option<u32>,
    pub language: Option<Language>,
}

/// What whoever holds a token may know before they accept.
#[derive(Debug, Clone)]
pub struct Preview {
    pub workspace: String,
    pub inviter: Option<String>,
    pub role: Role,
    pub email: Option<String>,
    pub expires_at: Timestamp,
}

/// Invites somebody. Of a link the address is returned, this once; of a mail it is in the mail alone.
///
/// # Errors
/// A field is not acceptable, the actor may not, or the address belongs to a member or is invited already.
pub async fn create(
    app: &App,
    actor: &Actor,
    new: NewInvitation,
) -> Result<(Invitation, Option<String>), Error> {
    actor.require(Permission::WriteMembers)?;
    member::may_touch(actor, new.role)?;
    let scope = app.store.workspace(&actor.workspace);
    let given = new.email.as_deref().map(user::required_email).transpose()?;
    let max_uses = match (&given, new.max_uses) {
        (Some(_), None | Some(1)) | (None, None) => 1,
        (None, Some(uses @ 1..=USES_MAX)) => uses,
        (Some(_), Some(_)) => {
            return Err(Error::invalid("max_uses", "a mail invites one person"));
        }
        (None, Some(_)) => {
            let message = format!("a link is good for 1 to {USES_MAX} people");
            return Err(Error::invalid("max_uses", message));
        }
    };
    let open = list(app, actor).await?;
    if open.len() >= OPEN_MAX {
        return Err(Error::refused(
            "too_many_invitations",
            format!("a workspace has at most {OPEN_MAX} open invitations; revoke some"),
        ));
    }
    let mut invitation = Invitation {
        id: InvitationId::fresh(),
        workspace: actor.workspace.clone(),
        email: given,
        role: new.role,
        language: new.language,
        invited_by: match &actor.who {
            Who::Member { user, .. } => Some(user.clone()),
            Who::Key { .. } => None,
        },
        created_at: app.now(),
        expires_at: app.now() + LIFE,
        max_uses,
        uses: 0,
        mail: None,
        token_hash: None,
    };
    match invitation.email.clone() {
        Some(email) => {
            invitation.id = of_address(&actor.workspace, &email);
            invitation.mail = Some(Mailed::Queued);
            by_mail(app, actor, scope, &invitation, email).await?;
            Ok((invitation, None))
        }
        None => {
            let token = secret::random_token();
            let hash = secret::token_hash(&token);
            invitation.token_hash = Some(hash.clone());
            let mut writes = vec![
                Write::create(scope.invitation(&invitation.id), &invitation)?,
                Write::create(app.store.invitation_hash(&hash), &invitation.owner())?,
            ];
            writes.extend(still(scope, actor)?);
            writes.push(entered(app, actor, Action::InvitationCreated, &invitation)?);
            app.store.transact(writes).await?.or(changed)?;
            Ok((invitation, Some(url(app, &token))))
        }
    }
}

async fn by_mail(
    app: &App,
    actor: &Actor,
    scope: Scope<'_>,
    invitation: &Invitation,
    email: String,
) -> Result<(), Error> {
    if let Some(user) = user::by_email(app, &email).await?
        && workspace::role(app, &actor.workspace, &user.id)
            .await
            .is_ok()
    {
        return Err(already_member());
    }
    let key = scope.invitation(&invitation.id);
    let before: Option<Invitation> = app.store.get(&key).await?;
    let write = Write::put(key, invitation)?;
    let write = match &before {
        Some(before) if before.open(app.now()) => return Err(already_invited()),
        Some(before) => write.if_equals("created_at", &before.created_at)?,
        None => write.if_absent(),
    };
    let (mail, stored) = mail_for(app, invitation)?;
    let mut writes = vec![write, stored];
    writes.extend(before.iter().filter_map(|before| before.forgets(app)));
    writes.extend(still(scope, actor)?);
    writes.push(entered(app, actor, Action::InvitationCreated, invitation)?);
    match app.store.transact(writes).await? {
        Committed::Yes => {}
        Committed::No(failed) if failed.contains(&0) => return Err(already_invited()),
        Committed::No(_) => return Err(changed()),
    }
    // The invitation stands; a mail that is not queued can be sent again.
    if let Err(error) = mail::queue(app, &mail).await {
        tracing::warn!(error = error.chain(), invitation = %invitation.id, "a mail waits to be sent again");
    }
    Ok(())
}

/// Mails an invitation once more, with a new token; the one before is void when the mail is made.
///
/// # Errors
/// There is no such open invitation, or it is a link.
pub async fn send_again(app: &App, actor: &Actor, id: &InvitationId) -> Result<Invitation, Error> {
    actor.require(Permission::WriteMembers)?;
    let scope = app.store.workspace(&actor.workspace);
    let mut invitation = find(app, scope, id).await?;
    member::may_touch(actor, invitation.role)?;
    if invitation.email.is_none() {
        return Err(Error::refused(
            "not_by_mail",
            "a link is not mailed; make another one",
        ));
    }
    if !invitation.open(app.now()) {
        return Err(not_good());
    }
    let (mail, stored) = mail_for(app, &invitation)?;
    let queued = Write::update(scope.invitation(id))
        .set("mail", &Mailed::Queued)?
        .if_equals("created_at", &invitation.created_at)?;
    app.store
        .transact(vec![queued, stored])
        .await?
        .or(changed)?;
    mail::queue(app, &mail).await?;
    invitation.mail = Some(Mailed::Queued);
    Ok(invitation)
}

/// The open invitations, the newest first.
///
/// # Errors
/// The actor may not see them.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Invitation>, Error> {
    actor.require(Permission::WriteMembers)?;
    let scope = app.store.workspace(&actor.workspace);
    let mut all: Vec<Invitation> = app.store.all(&scope.invitations()).await?;
    all.retain(|invitation| invitation.open(app.now()));
    all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    Ok(all)
}

/// Makes an invitation useless at once.
///
/// # Errors
/// There is no such invitation in this workspace.
pub async fn revoke(app: &App, actor: &Actor, id: &InvitationId) -> Result<(), Error> {
    actor.require(Permission::WriteMembers)?;
    let scope = app.store.workspace(&actor.workspace);
    let invitation = find(app, scope, id).await?;
    member::may_touch(actor, invitation.role)?;
    let gone = Write::delete(scope.invitation(id)).if_present();
    let entry = entered(app, actor, Action::InvitationRevoked, &invitation)?;
    let mut writes = vec![gone, entry];
    writes.extend(invitation.forgets(app));
    app.store
        .transact(writes)
        .await?
        .or(|| Error::not_found("the invitation"))
}

/// What a token is for. Whoever has the token may ask.
///
/// # Errors
/// The token is not that of an open invitation.
pub async fn preview(app: &App, token: &str) -> Result<Preview, Error> {
    let invitation = by_token(app, token).await?;
    let workspace = workspace::get(app, &invitation.workspace).await?;
    Ok(Preview {
        workspace: workspace.name,
        inviter: inviter(app, &invitation).await?,
        role: invitation.role,
        email: invitation.email,
        expires_at: invitation.expires_at,
    })
}

/// Makes the signed-in person a member, who is in that workspace from now on.
///
/// # Errors
/// The token is not good any more, is for another address, or they are a member already.
pub async fn accept(app: &App, own: &Session, token: &str) -> Result<Membership, Error> {
    let invitation = by_token(app, token).await?;
    let user = user::get(app, &own.user).await?;
    if workspace::role(app, &invitation.workspace, &user.id)
        .await
        .is_ok()
    {
        return Err(already_member());
    }
    if workspace::ids_of_user(app, &user.id).await?.len() >= workspace::PER_PERSON_MAX {
        return Err(workspace::too_many());
    }
    let writes = acceptance(app, &invitation, &user)?;
    app.store.transact(writes).await?.or(not_good)?;
    let scope = app.store.workspace(&invitation.workspace);
    let event = Event::MemberUpdated {
        user: user.id.clone(),
    };
    realtime::announce(app, scope, event).await;
    session::move_to(app, own, Some(&invitation.workspace)).await?;
    Ok(membership(app, &invitation, &user))
}

/// The open invitation of a token.
///
/// # Errors
/// There is none: it never was, is used up, revoked or too old. Which of these is not said.
pub(crate) async fn by_token(app: &App, token: &str) -> Result<Invitation, Error> {
    let hash = secret::token_hash(token.trim());
    let owner: Option<Owner> = app.store.get(&app.store.invitation_hash(&hash)).await?;
    let Some(owner) = owner else {
        return Err(not_good());
    };
    let scope = app.store.workspace(&owner.workspace);
    let found: Option<Invitation> = app.store.get(&scope.invitation(&owner.invitation)).await?;
    found
        .filter(|found| found.open(app.now()) && found.token_hash == Some(hash))
        .ok_or_else(not_good)
}

/// The writes that use an invitation and make the person a member. Of two who use the last place at once,
/// one does.
///
/// # Errors
/// The invitation was mailed to another address.
pub(crate) fn acceptance(
    app: &App,
    invitation: &Invitation,
    user: &User,
) -> Result<Vec<Write>, Error> {
    let same = |email: &String| email.to_lowercase() == user.email.to_lowercase();
    if !invitation.email.as_ref().is_none_or(same) {
        return Err(Error::refused(
            "invited_another",
            "this invitation was sent to another e-mail address; use the account of that address, or ask \
             for an invitation to this one",
        ));
    }
    let scope = app.store.workspace(&invitation.workspace);
    let mut used = Write::update(scope.invitation(&invitation.id))
        .add("uses", 1)
        .if_present()
        .if_below("uses", &invitation.max_uses)?;
    if let Some(hash) = &invitation.token_hash {
        used = used.if_equals("token_hash", hash)?;
    }
    let mut writes = vec![used];
    writes.extend(member::joins(app, &membership(app, invitation, user))?);
    let by = By::User(user.id.clone());
    let details = [
        ("role", invitation.role.as_str()),
        ("invitation", invitation.id.as_str()),
    ];
    let what = (user.id.as_str(), details.as_slice());
    writes.push(audit::written(app, scope, by, Action::MemberJoined, what)?);
    Ok(writes)
}

/// What a person who goes, or may invite no longer, leaves behind.
pub(crate) async fn revocations(
    app: &App,
    scope: Scope<'_>,
    by: &UserId,
    role: Option<Role>,
) -> Result<Vec<Write>, Error> {
    if role.is_some_and(|role| role.may(Permission::WriteMembers)) {
        return Ok(Vec::new());
    }
    let all: Vec<Invitation> = app.store.all(&scope.invitations()).await?;
    let theirs = all.iter().filter(|one| one.invited_by.as_ref() == Some(by));
    Ok(theirs
        .flat_map(|one| {
            let gone = Write::delete(scope.invitation(&one.id));
            std::iter::once(gone).chain(one.forgets(app))
        })
        .collect())
}

pub(crate) fn not_good() -> Error {
    Error::refused(
        "invitation_not_good",
        "this invitation was used, taken back, or is more than seven days old; ask for a new one",
    )
}

impl Invitation {
    fn open(&self, now: Timestamp) -> bool {
        self.uses < self.max_uses && now < self.expires_at
    }

    fn owner(&self) -> Owner {
        Owner {
            workspace: self.workspace.clone(),
            invitation: self.id.clone(),
        }
    }

    /// The write that makes its token nobody's.
    fn forgets(&self, app: &App) -> Option<Write> {
        let hash = self.token_hash.as_ref()?;
        Some(Write::delete(app.store.invitation_hash(hash)))
    }
}

fn membership(app: &App, invitation: &Invitation, user: &User) -> Membership {
    Membership {
        workspace: invitation.workspace.clone(),
        user: user.id.clone(),
        role: invitation.role,
        joined_at: app.now(),
    }
}

fn mail_for(app: &App, invitation: &Invitation) -> Result<(MailId, Write), Error> {
    let Owner {
        workspace,
        invitation,
    } = invitation.owner();
    let occasion = Occasion::Invitation {
        workspace,
        invitation,
    };
    mail::begin(app, occasion)
}

/// Who is being removed in this moment invites nobody, who could be themselves.
fn still(scope: Scope<'_>, actor: &Actor) -> Result<Option<Write>, Error> {
    match &actor.who {
        Who::Member { user, role } => {
            let check = Write::check(scope.member(user)).if_equals("role", role)?;
            Ok(Some(check))
        }
        Who::Key { .. } => Ok(None),
    }
}

fn entered(
    app: &App,
    actor: &Actor,
    action: Action,
    invitation: &Invitation,
) -> Result<Write, Error> {
    let mut details = vec![("role", invitation.role.as_str())];
    if let Some(email) = &invitation.email {
        details.push(("email", email));
    }
    audit::detailed(app, actor, action, invitation.id.as_str(), &details)
}

async fn find(app: &App, scope: Scope<'_>, id: &InvitationId) -> Result<Invitation, Error> {
    let key: Key = scope.invitation(id);
    let found = app.store.get(&key).await?;
    found.ok_or_else(|| Error::not_found("the invitation"))
}

/// The name of whoever invited, while they have an account.
async fn inviter(app: &App, invitation: &Invitation) -> Result<Option<String>, Error> {
    let Some(user) = &invitation.invited_by else {
        return Ok(None);
    };
    let user: Option<User> = app.store.get(&app.store.user(user)).await?;
    Ok(user.map(|user| user.name))
}

fn of_address(workspace: &WorkspaceId, email: &str) -> InvitationId {
    InvitationId::derived(&[workspace.as_str(), email.to_lowercase().as_str()])
}

/// The token stands behind the hash sign, which browsers send to nobody, so it is in no log.
fn url(app: &App, token: &str) -> String {
    format!("{}/invitation#{token}", app.config.public_url)
}

fn already_member() -> Error {
    Error::refused("already_member", "this person is a member already")
}

fn already_invited() -> Error {
    Error::refused(
        "already_invited",
        "this address is invited already; send the invitation again, or revoke it first",
    )
}

fn changed() -> Error {
    Error::refused(
        "changed",
        "the workspace was changed in this moment by someone else; try again",
    )
}
