//! `/v1/contacts`

use app::App;
use app::contact::{self, ContactPatch, Filter, NewContact};
use axum::extract::State;
use axum::http::StatusCode;
use domain::contact::{Attributes, Consent, ConsentSource};
use domain::id::{ContactId, GroupId};
use domain::phone::{Phone, Region};
use http_api::{Authenticated, Failure, Id, Json, PageOut, PageQuery, Problem, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactIn {
    /// With its country code, or as written in `region`.
    #[schema(example = "+6281234567890")]
    phone: String,
    /// Where a number without a country code is from.
    #[schema(value_type = Option<String>, example = "ID")]
    region: Option<Region>,
    name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    attributes: Attributes,
    /// Ids of groups.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    groups: Vec<GroupId>,
}

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactChange {
    phone: Option<String>,
    #[schema(value_type = Option<String>)]
    region: Option<Region>,
    /// An empty text clears it.
    name: Option<String>,
    /// An empty text clears it.
    email: Option<String>,
    /// Attributes to set; an empty value removes one.
    #[serde(default)]
    attributes: Attributes,
    /// All groups the contact is to be in.
    #[schema(value_type = Option<Vec<String>>)]
    groups: Option<Vec<GroupId>>,
    #[schema(value_type = Option<String>, example = "subscribed")]
    consent: Option<Consent>,
    /// A blocked contact is sent nothing, by nobody; what they write is kept and raises no attention.
    blocked: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ContactOut {
    #[schema(value_type = String)]
    id: ContactId,
    #[schema(value_type = Option<String>)]
    phone: Option<Phone>,
    name: Option<String>,
    email: Option<String>,
    attributes: Attributes,
    #[schema(value_type = Vec<String>)]
    groups: Vec<GroupId>,
    /// `subscribed` or `opted_out`.
    #[schema(value_type = String)]
    consent: Consent,
    /// When the consent was last changed.
    #[schema(value_type = Option<String>, format = DateTime)]
    consent_changed_at: Option<Timestamp>,
    /// Who changed it: the `person` by a word or a button, `whatsapp`, or the `workspace`.
    #[schema(value_type = Option<String>)]
    consent_changed_by: Option<ConsentSource>,
    /// Since when the contact is blocked.
    #[schema(value_type = Option<String>, format = DateTime)]
    blocked_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only members of this group.
    #[param(value_type = Option<String>)]
    group: Option<GroupId>,
    /// Only the contact with this number, written with its country code.
    #[param(value_type = Option<String>)]
    phone: Option<Phone>,
    /// Only contacts with a name, a phone number or an e-mail address that begins so: `sari`, `0812 3456`.
    /// They are listed by what they were found by, and a page may hold fewer although more follow.
    search: Option<String>,
    /// How many items, 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Creates a contact.
#[utoipa::path(post, path = "/v1/contacts", operation_id = "create_contact", tag = "contacts",
    security(("api_key" = []), ("session" = [])), request_body = ContactIn,
    responses((status = 201, body = ContactOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<ContactIn>,
) -> Result<(StatusCode, Json<ContactOut>), Failure> {
    let ContactIn {
        phone,
        region,
        name,
        email,
        attributes,
        groups,
    } = body;
    let new = NewContact {
        phone,
        region,
        name,
        email,
        attributes,
        groups,
    };
    let contact = contact::create(&app, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(contact.into())))
}

/// Lists contacts, in a stable order.
#[utoipa::path(get, path = "/v1/contacts", operation_id = "list_contacts", tag = "contacts",
    security(("api_key" = []), ("session" = [])), params(ListQuery),
    responses((status = 200, body = PageOut<ContactOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageOut<ContactOut>>, Failure> {
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    }
    .into();
    let page = match (query.search, query.phone) {
        (Some(text), None) => {
            contact::search(&app, &actor, &text, query.group.as_ref(), &page).await?
        }
        (None, phone) => {
            let group = query.group;
            contact::list(&app, &actor, &Filter { group, phone }, &page).await?
        }
        (Some(_), Some(_)) => {
            let message = "give either a \"search\" or a \"phone\"";
            return Err(app::Error::invalid("search", message).into());
        }
    };
    Ok(Json(PageOut::of(page, ContactOut::from)))
}

/// Reads a contact.
#[utoipa::path(get, path = "/v1/contacts/{contact}", operation_id = "get_contact", tag = "contacts",
    security(("api_key" = []), ("session" = [])), params(("contact" = String, Path)),
    responses((status = 200, body = ContactOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ContactId>,
) -> Result<Json<ContactOut>, Failure> {
    Ok(Json(contact::get(&app, &actor, &id).await?.into()))
}

/// Changes a contact.
#[utoipa::path(patch, path = "/v1/contacts/{contact}", operation_id = "update_contact", tag = "contacts",
    security(("api_key" = []), ("session" = [])), params(("contact" = String, Path)), request_body = ContactChange,
    responses((status = 200, body = ContactOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ContactId>,
    Json(body): Json<ContactChange>,
) -> Result<Json<ContactOut>, Failure> {
    let ContactChange {
        phone,
        region,
        name,
        email,
        attributes,
        groups,
        consent,
        blocked,
    } = body;
    let patch = ContactPatch {
        phone,
        region,
        name,
        email,
        attributes,
        groups,
        consent,
        blocked,
    };
    Ok(Json(
        contact::update(&app, &actor, &id, patch).await?.into(),
    ))
}

/// Deletes a contact.
#[utoipa::path(delete, path = "/v1/contacts/{contact}", operation_id = "delete_contact", tag = "contacts",
    security(("api_key" = []), ("session" = [])), params(("contact" = String, Path)),
    responses((status = 204), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<ContactId>,
) -> Result<StatusCode, Failure> {
    contact::delete(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<contact::Contact> for ContactOut {
    fn from(contact: contact::Contact) -> Self {
        let contact::Contact {
            id,
            phone,
            name,
            email,
            attributes,
            groups,
            consent,
            consent_change,
            blocked_at,
            created_at,
            updated_at,
            ..
        } = contact;
        Self {
            id,
            phone,
            name,
            email,
            attributes,
            groups,
            consent,
            consent_changed_at: consent_change.map(|change| change.at),
            consent_changed_by: consent_change.map(|change| change.source),
            blocked_at,
            created_at,
            updated_at,
        }
    }
}
