//! `/v1/campaigns/{campaign}/recipients`

use app::App;
use app::campaign::{self, Recipient};
use axum::extract::State;
use domain::campaign::{Excluded, Tab};
use domain::id::{CampaignId, ContactId};
use domain::message::Outcome;
use domain::phone::Phone;
use domain::template::{Rendered, RenderedButton, RenderedHeader};
use http_api::{Authenticated, Failure, Id, Json, PageOut, PageQuery, Problem, Query};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipientQuery {
    /// Only recipients that are `failed`, `unknown` or `excluded`, or that have `replied`.
    #[param(value_type = Option<String>)]
    status: Option<Tab>,
    /// How many items, 1 to 100; without a status a page is as large as one chunk of the campaign.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RecipientOut {
    #[schema(value_type = String)]
    contact: ContactId,
    #[schema(value_type = Option<String>)]
    phone: Option<Phone>,
    /// `pending`, `accepted`, `delivered`, `read`, `failed`, `excluded` or `unknown`.
    status: &'static str,
    /// Meta's id of the message.
    wamid: Option<String>,
    /// Meta's error code of a failure.
    code: Option<i64>,
    /// Why it was left out, as a word: `opted_out`, `blocked`, `no_phone`, `invalid_number`,
    /// `missing_value`, `too_long`, `unfit_value`, `changed`, `deleted`, `not_retryable` or `too_early`.
    excluded: Option<&'static str>,
    /// Why it failed or was not sent.
    reason: Option<&'static str>,
    /// The message as the person sees it.
    message: Option<MessageOut>,
    /// When the person wrote back.
    #[schema(value_type = Option<String>, format = DateTime)]
    replied_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MessageOut {
    /// `{"type": "text", "text": "…"}`, or the file or place at the top.
    #[schema(value_type = Option<Object>)]
    header: Option<RenderedHeader>,
    body: String,
    footer: Option<String>,
    buttons: Vec<ButtonOut>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ButtonOut {
    /// `url`, `quick_reply`, `phone_number` or `copy_code`.
    kind: String,
    text: String,
    /// The link, number, code or payload.
    value: Option<String>,
}

/// Lists the recipients of a campaign.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}/recipients", operation_id = "list_recipients", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), RecipientQuery),
    responses((status = 200, body = PageOut<RecipientOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Query(query): Query<RecipientQuery>,
) -> Result<Json<PageOut<RecipientOut>>, Failure> {
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    }
    .into();
    let page = campaign::recipients(&app, &actor, &id, query.status, &page).await?;
    Ok(Json(PageOut::of(page, RecipientOut::from)))
}

impl From<Recipient> for RecipientOut {
    fn from(recipient: Recipient) -> Self {
        let Recipient {
            contact,
            phone,
            status,
            wamid,
            code,
            excluded,
            reason,
            message,
            replied_at,
            at,
        } = recipient;
        Self {
            contact,
            phone,
            status: status.map_or("pending", Outcome::as_str),
            wamid,
            code,
            excluded: excluded.map(Excluded::as_str),
            reason,
            message: message.map(MessageOut::from),
            replied_at,
            at,
        }
    }
}

impl From<Rendered> for MessageOut {
    fn from(rendered: Rendered) -> Self {
        let Rendered {
            header,
            body,
            footer,
            buttons,
        } = rendered;
        Self {
            header,
            body,
            footer,
            buttons: buttons.into_iter().map(ButtonOut::from).collect(),
        }
    }
}

impl From<RenderedButton> for ButtonOut {
    fn from(button: RenderedButton) -> Self {
        let RenderedButton { kind, text, value } = button;
        Self { kind, text, value }
    }
}
