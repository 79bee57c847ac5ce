//! `/v1/register`, `/v1/login`, `/v1/logout`, `/v1/me`

use app::session::{self, NewSession, Session};
use app::user::{self, Registration};
use app::{App, Error, workspace};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::AppendHeaders;
use domain::id::{UserId, WorkspaceId};
use domain::workspace::Role;
use http_api::{Failure, Json, Person, Problem, cookie};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterIn {
    #[schema(example = "sari@example.com")]
    email: String,
    /// 10 to 200 characters.
    password: String,
    #[schema(example = "Sari Wijaya")]
    name: String,
    /// The name of the first workspace.
    #[schema(example = "Toko Sari")]
    workspace: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginIn {
    email: String,
    password: String,
}

/// The signed-in person. `csrf_token` goes into `X-CSRF-Token` of every request that changes something.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeOut {
    #[schema(value_type = String)]
    id: UserId,
    email: String,
    name: String,
    csrf_token: String,
    /// The workspace of requests without an `X-Workspace` header.
    #[schema(value_type = Option<String>)]
    workspace: Option<WorkspaceId>,
    workspaces: Vec<MembershipOut>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MembershipOut {
    #[schema(value_type = String)]
    id: WorkspaceId,
    name: String,
    /// `owner`, `admin` or `agent`.
    #[schema(value_type = String)]
    role: Role,
}

type SignedIn = (
    StatusCode,
    AppendHeaders<[(header::HeaderName, HeaderValue); 1]>,
    Json<MeOut>,
);

/// Registers a person with a workspace of their own, and signs them in.
#[utoipa::path(post, path = "/v1/register", operation_id = "register", tag = "account", security(()),
    request_body = RegisterIn,
    responses((status = 201, body = MeOut), (status = "default", body = Problem)))]
pub(crate) async fn register(
    State(app): State<App>,
    Json(body): Json<RegisterIn>,
) -> Result<SignedIn, Failure> {
    let RegisterIn {
        email,
        password,
        name,
        workspace,
    } = body;
    let session = user::register(
        &app,
        Registration {
            email,
            password,
            name,
            workspace,
        },
    )
    .await?;
    signed_in(&app, StatusCode::CREATED, session).await
}

/// Signs a person in.
#[utoipa::path(post, path = "/v1/login", operation_id = "login", tag = "account", security(()),
    request_body = LoginIn,
    responses((status = 200, body = MeOut), (status = "default", body = Problem)))]
pub(crate) async fn login(
    State(app): State<App>,
    Json(body): Json<LoginIn>,
) -> Result<SignedIn, Failure> {
    let session = user::login(&app, &body.email, body.password).await?;
    signed_in(&app, StatusCode::OK, session).await
}

/// Ends the session.
#[utoipa::path(post, path = "/v1/logout", operation_id = "logout", tag = "account", security(("session" = [])),
    responses((status = 204), (status = "default", body = Problem)))]
pub(crate) async fn logout(
    State(app): State<App>,
    person: Person,
) -> Result<
    (
        StatusCode,
        AppendHeaders<[(header::HeaderName, HeaderValue); 1]>,
    ),
    Failure,
> {
    session::end(&app, &person.token).await?;
    Ok((
        StatusCode::NO_CONTENT,
        AppendHeaders([(header::SET_COOKIE, session_cookie(&app, None)?)]),
    ))
}

/// Reads who is signed in.
#[utoipa::path(get, path = "/v1/me", operation_id = "get_me", tag = "account", security(("session" = [])),
    responses((status = 200, body = MeOut), (status = "default", body = Problem)))]
pub(crate) async fn me(State(app): State<App>, person: Person) -> Result<Json<MeOut>, Failure> {
    Ok(Json(me_out(&app, person.session).await?))
}

async fn signed_in(app: &App, status: StatusCode, new: NewSession) -> Result<SignedIn, Failure> {
    let cookie = session_cookie(app, Some(&new.token))?;
    let me = me_out(app, new.session).await?;
    Ok((
        status,
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Json(me),
    ))
}

async fn me_out(app: &App, session: Session) -> Result<MeOut, Failure> {
    let user = user::get(app, &session.user).await?;
    let workspaces = workspace::of_user(app, &user.id).await?;
    let workspaces = workspaces
        .into_iter()
        .map(|(workspace, role)| MembershipOut {
            id: workspace.id,
            name: workspace.name,
            role,
        });
    Ok(MeOut {
        id: user.id,
        email: user.email,
        name: user.name,
        csrf_token: session.csrf_token,
        workspace: session.workspace,
        workspaces: workspaces.collect(),
    })
}

fn session_cookie(app: &App, token: Option<&str>) -> Result<HeaderValue, Failure> {
    let cookie = cookie::write(&app.config, token);
    cookie.ok_or_else(|| Error::broken("a session token does not fit a header").into())
}
