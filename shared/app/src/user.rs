//! People who sign in.

use domain::contact;
use domain::id::{UserId, WorkspaceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::FieldError;
use crate::session::{self, NewSession};
use crate::store::Write;
use crate::workspace::{self, Workspace};
use crate::{App, Error, secret};
use domain::workspace::Zone;

const PASSWORD_MIN: usize = 10;
const PASSWORD_MAX: usize = 200;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    password_hash: String,
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
    pub workspace: String,
}

/// Makes a person with a workspace of their own, and signs them in.
///
/// # Errors
/// A field is not acceptable, or the address is taken.
pub async fn register(app: &App, registration: Registration) -> Result<NewSession, Error> {
    let (email, name, workspace_name) = check(&registration)?;
    let password_hash = secret::hash_password(registration.password).await?;
    let user = User {
        id: UserId::fresh(),
        email,
        name,
        password_hash,
        created_at: app.now(),
    };
    let workspace = Workspace {
        id: WorkspaceId::fresh(),
        name: workspace_name,
        time_zone: Zone::default(),
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
    writes.extend(workspace::creation(&app.store, &workspace, &user.id)?);
    app.store.transact(writes).await?.or(|| {
        Error::refused(
            "email_taken",
            "there is already an account with this e-mail address; sign in instead",
        )
    })?;
    session::create(app, &user.id, Some(workspace.id)).await
}

/// Signs a person in.
///
/// # Errors
/// The pair of address and password is not known; which of the two is never said.
pub async fn login(app: &App, email: &str, password: String) -> Result<NewSession, Error> {
    let user = find_by_email(app, email.trim()).await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let matches = secret::check_password(password, stored).await?;
    let Some(user) = user.filter(|_| matches) else {
        return Err(Error::refused(
            "wrong_credentials",
            "the e-mail address or the password is wrong",
        ));
    };
    let workspace = workspace::of_user(app, &user.id)
        .await?
        .into_iter()
        .next()
        .map(|(workspace, _)| workspace.id);
    session::create(app, &user.id, workspace).await
}

/// # Errors
/// The person does not exist.
pub async fn get(app: &App, id: &UserId) -> Result<User, Error> {
    app.store
        .get(&app.store.user(id))
        .await?
        .ok_or(Error::Unauthenticated)
}

async fn find_by_email(app: &App, email: &str) -> Result<Option<User>, Error> {
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

fn check(registration: &Registration) -> Result<(String, String, String), Error> {
    let mut refused = Vec::new();
    let mut refuse = |field: &str, message: String| {
        refused.push(FieldError {
            field: field.to_owned(),
            message,
        })
    };
    let email = match contact::email(&registration.email) {
        Ok(Some(email)) => email,
        Ok(None) => {
            refuse("email", "an e-mail address is required".to_owned());
            String::new()
        }
        Err(invalid) => {
            refuse("email", invalid.message);
            String::new()
        }
    };
    let length = registration.password.chars().count();
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&length) {
        refuse(
            "password",
            format!("a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters"),
        );
    }
    let mut named = |field: &str, text: &str| match text.trim() {
        "" => {
            refuse(field, "a name is required".to_owned());
            String::new()
        }
        text if text.chars().count() > contact::NAME_MAX => {
            refuse(
                field,
                format!("at most {} characters are allowed", contact::NAME_MAX),
            );
            String::new()
        }
        text => text.to_owned(),
    };
    let name = named("name", &registration.name);
    let workspace = named("workspace", &registration.workspace);
    if refused.is_empty() {
        Ok((email, name, workspace))
    } else {
        Err(Error::Invalid(refused))
    }
}
