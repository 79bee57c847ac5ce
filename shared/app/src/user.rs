//! People who sign in.

use domain::contact;
use domain::id::{UserId, WorkspaceId};
use domain::language::Language;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{self, Action, By};
use crate::error::FieldError;
use crate::session::{self, Device, NewSession, Session};
use crate::store::commit::Updated;
use crate::store::{Committed, Write};
use crate::{App, Error, invitation, password, secret, workspace};

/// In how many workspaces a sign-in is entered, so that it stays one transaction.
pub(crate) const ENTERED_MAX: usize = 50;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    /// In which the product writes to them; unknown until they or their browser say.
    #[serde(default)]
    pub language: Option<Language>,
    pub(crate) password_hash: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct EmailIdentity {
    user: UserId,
}

/// What a person gives to register.
#[derive(Debug, Clone)]
pub struct Registration {
    pub email: String,
    pub password: String,
    pub name: String,
    pub language: Option<Language>,
    pub home: Home,
}

/// The workspace that a person begins in.
#[derive(Debug, Clone)]
pub enum Home {
    /// A new one of their own, of this name.
    New(String),
    /// The one they were invited to, by the invitation's token.
    Invited(String),
}

/// Makes a person with a workspace of their own, or as a member of the one they were invited to, and
/// signs them in.
///
/// # Errors
/// A field is not acceptable, the address is taken, or the invitation is not good any more.
pub async fn register(
    app: &App,
    registration: Registration,
    device: Device,
) -> Result<NewSession, Error> {
    let (email, name) = check(&registration)?;
    // Before the password is hashed, which takes long on purpose.
    let invited = match &registration.home {
        Home::New(_) => None,
        Home::Invited(token) => Some(invitation::by_token(app, token).await?),
    };
    let user = User {
        id: UserId::fresh(),
        email,
        name,
        language: registration.language,
        password_hash: secret::hash_password(registration.password).await?,
        created_at: app.now(),
    };
    let mut writes = vec![
        Write::create(
            app.store.email(&user.email),
            &EmailIdentity {
                user: user.id.clone(),
            },
        )?,
        Write::create(app.store.user(&user.id), &user)?,
    ];
    let workspace = match (&registration.home, &invited) {
        (Home::New(name), _) => {
            let (workspace, creation) = workspace::creation(app, name, &user.id)?;
            writes.extend(creation);
            workspace.id
        }
        (Home::Invited(_), Some(invited)) => {
            writes.extend(invitation::acceptance(app, invited, &user)?);
            invited.workspace.clone()
        }
        (Home::Invited(_), None) => return Err(Error::broken("an invitation was not looked up")),
    };
    let (session, write) = session::begin(app, &user.id, Some(workspace), device)?;
    writes.push(write);
    match app.store.transact(writes).await? {
        Committed::Yes => Ok(session),
        Committed::No(failed) if failed.contains(&0) => Err(Error::refused(
            "email_taken",
            "there is already an account with this e-mail address; sign in instead",
        )),
        Committed::No(_) => Err(invitation::not_good()),
    }
}

/// Signs a person in.
///
/// # Errors
/// The pair of address and password is not known; which of the two is never said.
pub async fn login(
    app: &App,
    email: &str,
    password: String,
    device: Device,
) -> Result<NewSession, Error> {
    let user = by_email(app, email).await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let matches = secret::check_password(password, stored).await?;
    let Some(user) = user.filter(|_| matches) else {
        return Err(wrong_credentials());
    };
    let workspaces = workspace::ids_of_user(app, &user.id).await?;
    let (session, write) = session::begin(app, &user.id, workspaces.first().cloned(), device)?;
    // Whoever changes the password ends all sessions; one that is begun with the old password in this
    // very moment must not outlive it.
    let unchanged =
        Write::check(app.store.user(&user.id)).if_equals("password_hash", &user.password_hash)?;
    let mut writes = vec![unchanged, write];
    writes.extend(entries(app, &user.id, &workspaces, Action::SignedIn)?);
    app.store.transact(writes).await?.or(wrong_credentials)?;
    Ok(session)
}

/// What an account does is entered in the log of each workspace that it opens.
pub(crate) fn entries(
    app: &App,
    user: &UserId,
    workspaces: &[WorkspaceId],
    action: Action,
) -> Result<Vec<Write>, Error> {
    let entered = workspaces.iter().take(ENTERED_MAX);
    entered
        .map(|workspace| {
            let scope = app.store.workspace(workspace);
            let by = By::User(user.clone());
            audit::written(app, scope, by, action, (user.as_str(), &[]))
        })
        .collect()
}

/// # Errors
/// The person does not exist.
pub async fn get(app: &App, id: &UserId) -> Result<User, Error> {
    app.store
        .get(&app.store.user(id))
        .await?
        .ok_or(Error::Unauthenticated)
}

/// What a person changes about themselves; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub language: Option<Language>,
}

/// # Errors
/// The name is not acceptable.
pub async fn update(app: &App, own: &Session, change: Change) -> Result<User, Error> {
    let mut write = Write::update(app.store.user(&own.user)).if_present();
    if let Some(name) = &change.name {
        write = write.set("name", &person_name(name)?)?;
    }
    if let Some(language) = &change.language {
        write = write.set("language", language)?;
    }
    if change.name.is_none() && change.language.is_none() {
        return get(app, &own.user).await;
    }
    match app.store.update_returning(write).await? {
        Updated::Yes(user) => Ok(user),
        Updated::No(_) => Err(Error::Unauthenticated),
    }
}

/// The person with this address, in any spelling of its letters.
pub(crate) async fn by_email(app: &App, email: &str) -> Result<Option<User>, Error> {
    // What cannot be an address is nobody's, and may not even fit a key.
    let Ok(Some(email)) = contact::email(email) else {
        return Ok(None);
    };
    let identity: Option<EmailIdentity> = app.store.get(&app.store.email(&email)).await?;
    match identity {
        Some(identity) => app.store.get(&app.store.user(&identity.user)).await,
        None => Ok(None),
    }
}

fn wrong_credentials() -> Error {
    Error::refused(
        "wrong_credentials",
        "the e-mail address or the password is wrong",
    )
}

fn person_name(text: &str) -> Result<String, Error> {
    contact::name(text)?.ok_or_else(|| Error::invalid("name", "a name is required"))
}

fn check(registration: &Registration) -> Result<(String, String), Error> {
    let mut refused: Vec<FieldError> = Vec::new();
    let mut kept = |value: Result<String, Error>| match value {
        Ok(value) => value,
        Err(Error::Invalid(fields)) => {
            refused.extend(fields);
            String::new()
        }
        Err(_) => String::new(),
    };
    let email = kept(required_email(&registration.email));
    kept(password::check(&registration.password).map(|()| String::new()));
    let name = kept(person_name(&registration.name));
    if let Home::New(workspace) = &registration.home {
        kept(workspace::name("workspace", workspace));
    }
    if refused.is_empty() {
        Ok((email, name))
    } else {
        Err(Error::Invalid(refused))
    }
}

/// An address that mail is to reach.
pub(crate) fn required_email(text: &str) -> Result<String, Error> {
    contact::email(text)?.ok_or_else(|| Error::invalid("email", "an e-mail address is required"))
}
