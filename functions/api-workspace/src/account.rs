//! `/v1/register`, `/v1/login`, `/v1/logout`, `/v1/me`: who somebody is.

use app::session::{self, NewSession, Session};
use app::user::{self, Change, Home, Registration};
use app::{App, Error, limit, workspace};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::AppendHeaders;
use domain::id::{UserId, WorkspaceId};
use domain::language::Language;
use domain::workspace::Role;
use http_api::device::{Speaks, Using};
use http_api::{ClientAddress, Failure, Json, Person, Problem, cookie};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterIn {
    #[schema(example = "sari@example.com")]
    email: String,
    /// 10 to 200 characters.
    #[schema(example = "a long password")]
    password: String,
    #[schema(example = "Sari Wijaya")]
    name: String,
    /// The name of a first workspace; without one an invitation is needed.
    #[schema(example = "Toko Sari")]
    workspace: Option<String>,
    /// The token of an invitation, in place of a workspace.
    #[schema(nullable)]
    invitation: Option<String>,
    /// In which mails are written: `en` or `id`. The browser's when absent.
    #[schema(value_type = Option<String>, example = "id")]
    language: Option<Language>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginIn {
    #[schema(example = "sari@example.com")]
    email: String,
    #[schema(example = "a long password")]
    password: String,
}

/// The signed-in person. `csrf_token` goes into `X-CSRF-Token` of every request that changes something.
#[derive(Serialize, ToSchema)]
pub(crate) struct MeOut {
    #[schema(value_type = String, example = "us_0198c0de000070008000000000000001")]
    id: UserId,
    #[schema(example = "sari@example.com")]
    email: String,
    #[schema(example = "Sari Wijaya")]
    name: String,
    /// In which mails are written.
    #[schema(value_type = String, example = "id")]
    language: Language,
    #[schema(example = "m0Zb3Vt1s9")]
    csrf_token: String,
    /// The workspace of requests without an `X-Workspace` header.
    #[schema(value_type = Option<String>, example = "ws_0198c0de000070008000000000000001")]
    workspace: Option<WorkspaceId>,
    workspaces: Vec<MembershipOut>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MembershipOut {
    #[schema(value_type = String, example = "ws_0198c0de000070008000000000000001")]
    pub(crate) id: WorkspaceId,
    #[schema(example = "Toko Sari")]
    pub(crate) name: String,
    /// `owner`, `admin` or `agent`.
    #[schema(value_type = String, example = "owner")]
    pub(crate) role: Role,
}

type SignedIn = (
    StatusCode,
    AppendHeaders<[(header::HeaderName, HeaderValue); 1]>,
    Json<MeOut>,
);

/// Registers a person, with a workspace of their own or by an invitation, and signs them in.
#[utoipa::path(post, path = "/v1/register", operation_id = "register", tag = "account", security(()),
    request_body = RegisterIn,
    responses((status = 201, body = MeOut), (status = 409), (status = 429), (status = "default", body = Problem)))]
pub(crate) async fn register(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Using(device): Using,
    Speaks(spoken): Speaks,
    Json(body): Json<RegisterIn>,
) -> Result<SignedIn, Failure> {
    limit::registration(&app, &address).await?;
    let RegisterIn {
        email,
        password,
        name,
        workspace,
        invitation,
        language,
    } = body;
    let home = match (workspace, invitation) {
        (Some(name), None) => Home::New(name),
        (None, Some(token)) => Home::Invited(token),
        (None, None) | (Some(_), Some(_)) => {
            let message = "give the name of a workspace, or an invitation, and not both";
            return Err(Error::invalid("workspace", message).into());
        }
    };
    let registration = Registration {
        email,
        password,
        name,
        language: language.or(spoken),
        home,
    };
    let session = user::register(&app, registration, device).await?;
    signed_in(&app, StatusCode::CREATED, session).await
}

/// Signs a person in.
#[utoipa::path(post, path = "/v1/login", operation_id = "login", tag = "account", security(()),
    request_body = LoginIn,
    responses((status = 200, body = MeOut), (status = 401), (status = 429), (status = "default", body = Problem)))]
pub(crate) async fn login(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Using(device): Using,
    Json(body): Json<LoginIn>,
) -> Result<SignedIn, Failure> {
    limit::sign_in(&app, &body.email, &address).await?;
    let session = user::login(&app, &body.email, body.password, device).await?;
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
    session::end(&app, &person.session, &person.session.id).await?;
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeChange {
    #[schema(example = "Sari Wijaya")]
    name: Option<String>,
    /// In which mails are written: `en` or `id`.
    #[schema(value_type = Option<String>, example = "id")]
    language: Option<Language>,
}

/// Changes the signed-in person's own name or language; what is absent stays.
#[utoipa::path(patch, path = "/v1/me", operation_id = "update_me", tag = "account", security(("session" = [])),
    request_body = MeChange,
    responses((status = 200, body = MeOut), (status = "default", body = Problem)))]
pub(crate) async fn update(
    State(app): State<App>,
    person: Person,
    Json(body): Json<MeChange>,
) -> Result<Json<MeOut>, Failure> {
    let MeChange { name, language } = body;
    user::update(&app, &person.session, Change { name, language }).await?;
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
    // They may have been removed from the one they were in.
    let current = session.workspace.filter(|current| {
        let mut ids = workspaces.iter().map(|(workspace, _)| &workspace.id);
        ids.any(|id| id == current)
    });
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
        language: user.language.unwrap_or_default(),
        workspace: current,
        workspaces: workspaces.collect(),
    })
}

fn session_cookie(app: &App, token: Option<&str>) -> Result<HeaderValue, Failure> {
    let cookie = cookie::write(&app.config, token);
    cookie.ok_or_else(|| Error::broken("a session token does not fit a header").into())
}
