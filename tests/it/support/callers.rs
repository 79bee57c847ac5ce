//! Typed callers: nobody, a member with a session, an API key, Meta.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use domain::workspace::Permission;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::TestApp;

/// Somebody who sends requests.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    /// Where its requests come from.
    address: Option<SocketAddr>,
    headers: Vec<(String, String)>,
    /// The workspace of a member or a key.
    pub(crate) workspace: String,
}

/// An answer, to be taken apart by what the test expects.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

impl Caller {
    pub(crate) fn anonymous() -> Self {
        Self::default()
    }

    pub(crate) fn from_address(address: &str) -> Self {
        Self {
            address: Some(SocketAddr::new(address.parse().unwrap(), 40_000)),
            ..Self::default()
        }
    }

    pub(crate) fn with(mut self, header: &str, value: &str) -> Self {
        self.headers.retain(|(name, _)| name != header);
        self.headers.push((header.to_owned(), value.to_owned()));
        self
    }

    /// What it sends in a header.
    pub(crate) fn header(&self, header: &str) -> &str {
        let mut headers = self.headers.iter();
        let found = headers.find(|(name, _)| name == header);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) async fn get(&self, t: &TestApp, path: &str) -> Answer {
        self.send(t, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, t: &TestApp, path: &str, body: Value) -> Answer {
        self.send(t, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, t: &TestApp, path: &str, body: Value) -> Answer {
        self.send(t, Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, t: &TestApp, path: &str, body: Value) -> Answer {
        self.send(t, Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, t: &TestApp, path: &str) -> Answer {
        self.send(t, Method::DELETE, path, None).await
    }

    pub(crate) async fn send(
        &self,
        t: &TestApp,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let body = body
            .filter(|body| !body.is_null())
            .map(|body| body.to_string());
        let kind = body
            .is_some()
            .then_some(("content-type", "application/json"));
        self.raw(t, method, path, kind, body.unwrap_or_default().into_bytes())
            .await
    }

    /// Sends bytes as they are, with one more header.
    pub(crate) async fn raw(
        &self,
        t: &TestApp,
        method: Method,
        path: &str,
        header: Option<(&str, &str)>,
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if let Some(address) = self.address {
            request = request.extension(ConnectInfo(address));
        }
        let response = t
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        // A file need not be text.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }
}

impl TestApp {
    /// A new owner with a workspace of this name.
    pub(crate) async fn owner(&self, name: &str) -> Caller {
        let body = json!({"email": format!("{name}@example.com"), "password": "a long password", "name": name, "workspace": name});
        let answer = Caller::anonymous().post(self, "/v1/register", body).await;
        signed_in(answer, 201)
    }

    /// An API key of the caller's workspace with these scopes.
    pub(crate) async fn key_with(&self, owner: &Caller, scopes: &[Permission]) -> Caller {
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        let key = owner
            .post(
                self,
                "/v1/api-keys",
                json!({"name": "a key", "scopes": scopes}),
            )
            .await
            .expect(201);
        let caller = Caller {
            workspace: owner.workspace.clone(),
            ..Caller::default()
        };
        caller.with(
            "authorization",
            &format!("Bearer {}", key["secret"].as_str().unwrap()),
        )
    }
}

/// The member behind an answer that signs somebody in.
pub(crate) fn signed_in(answer: Answer, status: u16) -> Caller {
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let me = answer.expect(status);
    let caller = Caller {
        workspace: me["workspace"].as_str().unwrap().to_owned(),
        ..Caller::default()
    };
    caller
        .with("cookie", &cookie)
        .with("x-csrf-token", me["csrf_token"].as_str().unwrap())
}
