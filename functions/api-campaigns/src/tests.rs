//! `/v1/campaigns/{campaign}/test` and `/v1/campaigns/{campaign}/tests`

use app::App;
use app::campaign::{self, NewTest, TestSend, TestState};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{CampaignId, ContactId, TestId};
use domain::phone::Phone;
use http_api::{
    Authenticated, Failure, Id, IdempotencyKey, Json, Once, PageOut, PageQuery, Problem, Query,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::recipients::MessageOut;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestIn {
    /// The number to send to, in international form.
    #[schema(example = "+6281234567890")]
    phone: String,
    /// The contact whose values are filled in; without one, fallbacks and the template's examples.
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TestOut {
    #[schema(value_type = String)]
    id: TestId,
    #[schema(value_type = String)]
    phone: Phone,
    #[schema(value_type = Option<String>)]
    contact: Option<ContactId>,
    /// `queued`, `sending`, then `accepted`, `failed` or `unknown`.
    #[schema(value_type = String)]
    state: TestState,
    /// Meta's id of the message.
    wamid: Option<String>,
    /// Meta's error code of a failure.
    code: Option<i64>,
    /// Why it failed or is unknown.
    reason: Option<String>,
    /// The message as it is read.
    message: MessageOut,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Sends the campaign's message once to one number. It counts in no figures; what became of it is in
/// the list of tests.
#[utoipa::path(post, path = "/v1/campaigns/{campaign}/test", operation_id = "test_campaign", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), IdempotencyKey), request_body = TestIn,
    responses((status = 202, body = TestOut), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Once(once): Once,
    Json(body): Json<TestIn>,
) -> Result<(StatusCode, Json<TestOut>), Failure> {
    let TestIn { phone, contact } = body;
    let test = campaign::test(&app, &actor, &id, NewTest { phone, contact }, &once).await?;
    Ok((StatusCode::ACCEPTED, Json(test.into())))
}

/// Lists the tests of a campaign, newest first.
#[utoipa::path(get, path = "/v1/campaigns/{campaign}/tests", operation_id = "list_campaign_tests", tag = "campaigns",
    security(("api_key" = []), ("session" = [])), params(("campaign" = String, Path), PageQuery),
    responses((status = 200, body = PageOut<TestOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<CampaignId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<PageOut<TestOut>>, Failure> {
    let page = campaign::tests(&app, &actor, &id, &page.into()).await?;
    Ok(Json(PageOut::of(page, TestOut::from)))
}

impl From<TestSend> for TestOut {
    fn from(test: TestSend) -> Self {
        let message = test.message().into();
        Self {
            id: test.id,
            phone: test.phone,
            contact: test.contact,
            state: test.state,
            wamid: test.wamid,
            code: test.code,
            reason: test.reason,
            message,
            created_at: test.created_at,
        }
    }
}
