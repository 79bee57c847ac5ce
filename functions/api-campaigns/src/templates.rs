//! `/v1/templates`

use app::App;
use app::template::{self, StoredTemplate};
use axum::extract::State;
use domain::id::ChannelId;
use domain::template::{Components, Slot, Values};
use http_api::{Authenticated, Failure, Json, PageOut, PageQuery, Problem, Query, Segment};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncIn {
    /// The channel whose account's templates are fetched.
    #[schema(value_type = String)]
    channel: ChannelId,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SyncOut {
    /// How many templates the account has.
    templates: usize,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateOut {
    /// Meta's id.
    id: String,
    name: String,
    /// Meta's language code: `id`, `en_US`.
    language: String,
    /// `approved` can be sent.
    status: String,
    category: String,
    parameter_format: String,
    /// Header, body, footer and buttons, as Meta approved them.
    #[schema(value_type = Object)]
    components: Components,
    /// Where values are needed: `body.1`, `body.first_name`, `header.1`, `button.0`.
    variables: Vec<String>,
    /// Where a value may be given: the payload that comes back when a quick reply is pressed.
    optional_variables: Vec<String>,
    /// The values Meta approved the template with.
    #[schema(value_type = Object)]
    examples: Values,
    waba_id: String,
    quality: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    synced_at: Timestamp,
}

/// Lists templates.
#[utoipa::path(get, path = "/v1/templates", operation_id = "list_templates", tag = "templates",
    security(("api_key" = []), ("session" = [])), params(PageQuery),
    responses((status = 200, body = PageOut<TemplateOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Query(page): Query<PageQuery>,
) -> Result<Json<PageOut<TemplateOut>>, Failure> {
    let page = template::list(&app, &actor, &page.into()).await?;
    Ok(Json(PageOut::of(page, TemplateOut::from)))
}

/// Fetches the templates of a channel's account from Meta.
#[utoipa::path(post, path = "/v1/templates/sync", operation_id = "sync_templates", tag = "templates",
    security(("api_key" = []), ("session" = [])), request_body = SyncIn,
    responses((status = 200, body = SyncOut), (status = 502), (status = "default", body = Problem)))]
pub(crate) async fn sync(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<SyncIn>,
) -> Result<Json<SyncOut>, Failure> {
    let templates = template::sync(&app, &actor, &body.channel).await?;
    Ok(Json(SyncOut { templates }))
}

/// Reads a template.
#[utoipa::path(get, path = "/v1/templates/{template}", operation_id = "get_template", tag = "templates",
    security(("api_key" = []), ("session" = [])), params(("template" = String, Path)),
    responses((status = 200, body = TemplateOut), (status = "default", body = Problem)))]
pub(crate) async fn get(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Segment(id): Segment,
) -> Result<Json<TemplateOut>, Failure> {
    Ok(Json(template::get(&app, &actor, &id).await?.into()))
}

impl From<StoredTemplate> for TemplateOut {
    fn from(stored: StoredTemplate) -> Self {
        let StoredTemplate {
            template,
            waba_id,
            synced_at,
            ..
        } = stored;
        let names = |slots: Vec<Slot>| slots.iter().map(ToString::to_string).collect();
        let (variables, optional_variables) =
            (names(template.slots()), names(template.optional_slots()));
        Self {
            id: template.id,
            name: template.name,
            language: template.language,
            status: template.status.as_str().to_owned(),
            category: template.category.as_str().to_owned(),
            parameter_format: template.parameter_format.as_str().to_owned(),
            components: template.components,
            variables,
            optional_variables,
            examples: template.examples,
            waba_id,
            quality: template.quality,
            synced_at,
        }
    }
}
