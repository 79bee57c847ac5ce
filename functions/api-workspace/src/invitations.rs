//! `/v1/invitations`

use app::App;
use app::invitation::{self, Invitation, Mailed, NewInvitation};
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{InvitationId, UserId, WorkspaceId};
use domain::language::Language;
use domain::workspace::Role;
use http_api::{Authenticated, Failure, Id, Json, PageOut, Person, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationIn {
    /// Who is invited by mail; without one the answer has a link for whoever is given it.
    #[schema(example = "budi@example.com")]
    email: Option<String>,
    /// `owner`, `admin` or `agent`. Only owners invite owners.
    #[schema(value_type = String, example = "agent")]
    role: Role,
    /// How many people a link may bring, 1 to 100; 1 when absent. A mail brings one.
    #[schema(minimum = 1, maximum = 100)]
    max_uses: Option<u32>,
    /// In which the mail is written: `en` or `id`. Who has an account gets their own.
    #[schema(value_type = Option<String>, example = "id")]
    language: Option<Language>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationOut {
    #[schema(value_type = String, example = "in_0198c0de000070008000000000000001")]
    id: InvitationId,
    /// Whom it was mailed to; a link has none.
    #[schema(example = "budi@example.com")]
    email: Option<String>,
    #[schema(value_type = String, example = "agent")]
    role: Role,
    /// The member who invited; absent when an API key did.
    #[schema(value_type = Option<String>, example = "us_0198c0de000070008000000000000001")]
    invited_by: Option<UserId>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-25T09:30:00Z")]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-12-02T09:30:00Z")]
    expires_at: Timestamp,
    #[schema(example = 1)]
    max_uses: u32,
    #[schema(example = 0)]
    uses: u32,
    /// What became of the mail: `queued`, `sent` or `refused`.
    #[schema(value_type = Option<String>, example = "sent")]
    mail: Option<Mailed>,
    /// The link; only in the answer that creates one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://blazz.example/invitation#gk2hBvXl3p9Qm0Zb3Vt1s9")]
    url: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenIn {
    /// What stands behind the hash sign of the invitation's link.
    #[schema(example = "gk2hBvXl3p9Qm0Zb3Vt1s9_4yN8c7Xw5eR6tY7uI8o0")]
    token: String,
}

/// What an invitation is to.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreviewOut {
    #[schema(example = "Toko Sari")]
    workspace: String,
    /// The name of who invited.
    #[schema(example = "Sari Wijaya")]
    inviter: Option<String>,
    #[schema(value_type = String, example = "agent")]
    role: Role,
    /// The address that alone may accept; a link is for whoever has it.
    #[schema(example = "budi@example.com")]
    email: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-12-02T09:30:00Z")]
    expires_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedOut {
    #[schema(value_type = String, example = "ws_0198c0de000070008000000000000001")]
    workspace: WorkspaceId,
    #[schema(value_type = String, example = "agent")]
    role: Role,
}

/// Invites somebody, by mail or by a link. An invitation is good for seven days.
#[utoipa::path(post, path = "/v1/invitations", operation_id = "create_invitation", tag = "members",
    security(("api_key" = []), ("session" = [])), request_body = InvitationIn,
    responses((status = 201, body = InvitationOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Json(body): Json<InvitationIn>,
) -> Result<(StatusCode, Json<InvitationOut>), Failure> {
    let InvitationIn {
        email,
        role,
        max_uses,
        language,
    } = body;
    let new = NewInvitation {
        email,
        role,
        max_uses,
        language,
    };
    let (invitation, url) = invitation::create(&app, &actor, new).await?;
    let out = InvitationOut {
        url,
        ..invitation.into()
    };
    Ok((StatusCode::CREATED, Json(out)))
}

/// Lists the open invitations, the newest first.
#[utoipa::path(get, path = "/v1/invitations", operation_id = "list_invitations", tag = "members",
    security(("api_key" = []), ("session" = [])),
    responses((status = 200, body = PageOut<InvitationOut>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
) -> Result<Json<PageOut<InvitationOut>>, Failure> {
    let invitations = invitation::list(&app, &actor).await?;
    Ok(Json(PageOut {
        items: invitations.into_iter().map(InvitationOut::from).collect(),
        next: None,
    }))
}

/// Revokes an invitation at once.
#[utoipa::path(delete, path = "/v1/invitations/{invitation}", operation_id = "revoke_invitation",
    tag = "members", security(("api_key" = []), ("session" = [])), params(("invitation" = String, Path)),
    responses((status = 204), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<InvitationId>,
) -> Result<StatusCode, Failure> {
    invitation::revoke(&app, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails an invitation once more. The link of the mail before is void when the new mail is made.
#[utoipa::path(post, path = "/v1/invitations/{invitation}/send", operation_id = "send_invitation",
    tag = "members", security(("api_key" = []), ("session" = [])), params(("invitation" = String, Path)),
    responses((status = 202, body = InvitationOut), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn send_again(
    State(app): State<App>,
    Authenticated(actor): Authenticated,
    Id(id): Id<InvitationId>,
) -> Result<(StatusCode, Json<InvitationOut>), Failure> {
    let invitation = invitation::send_again(&app, &actor, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(invitation.into())))
}

/// Shows what an invitation is to. The token is in the body, because addresses are logged.
#[utoipa::path(post, path = "/v1/invitations/preview", operation_id = "preview_invitation", tag = "members",
    security(()), request_body = TokenIn,
    responses((status = 200, body = PreviewOut), (status = 404), (status = 409), (status = "default", body = Problem)))]
pub(crate) async fn preview(
    State(app): State<App>,
    Json(body): Json<TokenIn>,
) -> Result<Json<PreviewOut>, Failure> {
    let preview = invitation::preview(&app, &body.token).await?;
    Ok(Json(PreviewOut {
        workspace: preview.workspace,
        inviter: preview.inviter,
        role: preview.role,
        email: preview.email,
        expires_at: preview.expires_at,
    }))
}

/// Makes the signed-in person a member, and switches the session to that workspace. Who has no account
/// registers with the token instead.
#[utoipa::path(post, path = "/v1/invitations/accept", operation_id = "accept_invitation", tag = "members",
    security(("session" = [])), request_body = TokenIn,
    responses((status = 200, body = AcceptedOut), (status = 409), (status = 404), (status = "default", body = Problem)))]
pub(crate) async fn accept(
    State(app): State<App>,
    person: Person,
    Json(body): Json<TokenIn>,
) -> Result<Json<AcceptedOut>, Failure> {
    let membership = invitation::accept(&app, &person.session, &body.token).await?;
    Ok(Json(AcceptedOut {
        workspace: membership.workspace,
        role: membership.role,
    }))
}

impl From<Invitation> for InvitationOut {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
            max_uses: invitation.max_uses,
            uses: invitation.uses,
            mail: invitation.mail,
            url: None,
        }
    }
}
