//! `/v1/password/…`

use app::{App, limit, password};
use axum::extract::State;
use axum::http::StatusCode;
use http_api::{ClientAddress, Failure, Json, Person, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    #[schema(example = "a long password")]
    old_password: String,
    /// 10 to 200 characters.
    #[schema(example = "another long password")]
    new_password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgotIn {
    #[schema(example = "sari@example.com")]
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetIn {
    /// What stands behind the hash sign of the mail's link.
    #[schema(example = "gk2hBvXl3p9Qm0Zb3Vt1s9_4yN8c7Xw5eR6tY7uI8o0")]
    token: String,
    /// 10 to 200 characters.
    #[schema(example = "another long password")]
    password: String,
}

/// Changes the signed-in person's password, and ends all their other sessions.
#[utoipa::path(post, path = "/v1/password/change", operation_id = "change_password", tag = "account",
    security(("session" = [])), request_body = PasswordChange,
    responses((status = 204), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn change(
    State(app): State<App>,
    person: Person,
    Json(body): Json<PasswordChange>,
) -> Result<StatusCode, Failure> {
    let PasswordChange {
        old_password,
        new_password,
    } = body;
    password::change(&app, &person.session, old_password, new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks for a mail with a link that sets a new password. The answer is the same whether or not there is
/// such an account.
#[utoipa::path(post, path = "/v1/password/forgot", operation_id = "forgot_password", tag = "account",
    security(()), request_body = ForgotIn,
    responses((status = 202), (status = 429), (status = "default", body = Problem)))]
pub(crate) async fn forgot(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Json(body): Json<ForgotIn>,
) -> Result<StatusCode, Failure> {
    limit::forgotten(&app, &body.email, &address).await?;
    password::forgot(&app, &body.email).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sets a new password with the token of a mail, which is good once and for an hour, and ends all sessions
/// of that person.
#[utoipa::path(post, path = "/v1/password/reset", operation_id = "reset_password", tag = "account",
    security(()), request_body = ResetIn,
    responses((status = 204), (status = 401), (status = 404), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn reset(
    State(app): State<App>,
    Json(body): Json<ResetIn>,
) -> Result<StatusCode, Failure> {
    password::reset(&app, &body.token, body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}
