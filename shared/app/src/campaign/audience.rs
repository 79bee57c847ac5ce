//! The audience of a campaign: whether what it names exists here, who is in it, one after the other,
//! and whether a message can go to them.
//!
//! Planning and the pre-flight both walk it with [`Walk`], so what one foretells the other does.

mod judge;
mod walk;

use domain::campaign::{Audience, AudienceForm};
use serde::Deserialize;

use crate::error::FieldError;
use crate::store::Scope;
use crate::store::key::Key;
use crate::{App, Error};

pub(super) use walk::{Place, Walk};

/// The audience that a caller wrote, when everything it names exists in this workspace.
pub(super) async fn read(
    app: &App,
    scope: Scope<'_>,
    form: &AudienceForm,
    refused: &mut Vec<FieldError>,
) -> Result<Option<Audience>, Error> {
    let audience = match Audience::parse(form) {
        Ok(audience) => audience,
        Err(faults) => {
            refused.extend(faults.into_iter().map(FieldError::from));
            return Ok(None);
        }
    };
    check(app, scope, &audience, refused).await?;
    if let Audience::People { contacts, .. } = &audience {
        let keys = contacts.iter().map(|id| scope.contact(id)).collect();
        exist(app, keys, "audience.contacts", "contact", refused).await?;
    }
    Ok(Some(audience))
}

/// Refuses an audience whose groups or campaign are gone. A contact that was deleted meanwhile is no
/// reason to refuse all the others: planning excludes it.
pub(super) async fn check(
    app: &App,
    scope: Scope<'_>,
    audience: &Audience,
    refused: &mut Vec<FieldError>,
) -> Result<(), Error> {
    match audience {
        Audience::People { groups, .. } => {
            let keys = groups.iter().map(|id| scope.group(id)).collect();
            exist(app, keys, "audience.groups", "group", refused).await
        }
        Audience::Recipients { campaign, .. } => match super::find(app, scope, campaign).await {
            Ok(_) => Ok(()),
            Err(Error::NotFound { .. }) => {
                refused.push(FieldError {
                    field: "audience.campaign".to_owned(),
                    message: format!("there is no campaign {campaign}"),
                });
                Ok(())
            }
            Err(error) => Err(error),
        },
    }
}

/// An item of which only the existence matters.
#[derive(Deserialize)]
struct Existing {}

/// Refuses the keys that name nothing, each by its place in the field.
async fn exist(
    app: &App,
    keys: Vec<Key>,
    field: &str,
    what: &str,
    refused: &mut Vec<FieldError>,
) -> Result<(), Error> {
    let found: Vec<(usize, Existing)> = app.store.get_many(&keys).await?;
    for (place, key) in keys.iter().enumerate() {
        if !found.iter().any(|(at, _)| *at == place) {
            refused.push(FieldError {
                field: format!("{field}.{place}"),
                message: format!("there is no {what} {}", key.sort()),
            });
        }
    }
    Ok(())
}
