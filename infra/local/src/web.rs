//! The web application: the folder of files that its build made, in front of the functions.
//!
//! In the cloud the same files lie in a bucket behind the same domain; which paths belong to the API is
//! decided there as here, by their first segment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tower::ServiceExt;
use tower_http::services::{ServeDir, ServeFile};

/// First segments of paths that are not pages.
const OTHERS: [&str; 6] = ["v1", "webhooks", "ws", "_files", "_local", "healthz"];

/// Built files carry a hash of their content in their name, so they never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_AN_HOUR: &str = "public, max-age=3600";
/// The page names the current files, so it is asked for anew each time.
const ASKED_FOR_ANEW: &str = "no-cache";

const MISSING: &str = include_str!("web/missing.html");

/// Puts the web application in front of everything else that is reached over HTTP.
pub(crate) fn in_front_of(others: Router, folder: &Path, public_url: &str) -> Router {
    let web = Web {
        folder: folder.to_owned(),
        policy: policy(public_url),
        others,
    };
    Router::new().fallback(answer).with_state(Arc::new(web))
}

struct Web {
    folder: PathBuf,
    policy: HeaderValue,
    others: Router,
}

async fn answer(State(web): State<Arc<Web>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let first = path.split('/').nth(1).unwrap_or_default();
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    if !asks || OTHERS.contains(&first) {
        return match web.others.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
    }
    let mut response = web.file(first == "assets", request).await;
    harden(response.headers_mut(), &web.policy, first == "assets");
    response
}

impl Web {
    /// The file at this path. What is no file is a page of the application, which reads the path itself;
    /// only a built file that is gone is missed, for a page in its place would be taken for the script.
    async fn file(&self, built: bool, request: Request) -> Response {
        let page = self.folder.join("index.html");
        if !page.is_file() {
            return (StatusCode::NOT_FOUND, Html(MISSING)).into_response();
        }
        let files = ServeDir::new(&self.folder)
            .precompressed_br()
            .precompressed_gzip();
        let answered = if built {
            files.oneshot(request).await.map(|it| it.map(Body::new))
        } else {
            let page = ServeFile::new(page).precompressed_br().precompressed_gzip();
            let files = files.fallback(page);
            files.oneshot(request).await.map(|it| it.map(Body::new))
        };
        match answered {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// How long a file may be kept, and what a page may do.
fn harden(headers: &mut HeaderMap, policy: &HeaderValue, built: bool) {
    let is_page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let kept = match (is_page, built) {
        (true, _) => ASKED_FOR_ANEW,
        (false, true) => FOR_EVER,
        (false, false) => FOR_AN_HOUR,
    };
    let fixed = [
        (header::CACHE_CONTROL, kept),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_page {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        let microphone = HeaderValue::from_static("camera=(), geolocation=(), microphone=(self)");
        headers.insert("permissions-policy", microphone);
        let alone = HeaderValue::from_static("same-origin");
        headers.insert("cross-origin-opener-policy", alone);
    }
}

/// Everything comes from here; files that people sent are shown from their signed links, which are here too.
/// Not every browser takes a websocket of the same host for the same origin, so it is named.
fn policy(public_url: &str) -> HeaderValue {
    let socket = public_url.replacen("http", "ws", 1);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
         media-src 'self' blob:; font-src 'self'; connect-src 'self' {socket}; manifest-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'"))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::routing::get;

    use super::*;

    async fn ask(web: &Router, method: Method, path: &str) -> (StatusCode, HeaderMap, String) {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("accept-encoding", "br")
            .body(Body::empty())
            .unwrap();
        let response = web.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (
            head.status,
            head.headers,
            String::from_utf8_lossy(&body).into_owned(),
        )
    }

    fn built() -> (tempfile::TempDir, Router) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        for (name, content) in [
            ("index.html", "the page"),
            ("icon.svg", "<svg/>"),
            ("assets/main-1.js", "script"),
            ("assets/main-1.js.br", "small"),
        ] {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let others = Router::new().route("/v1/me", get(async || "the API"));
        let web = in_front_of(others, folder.path(), "http://localhost:8787");
        (folder, web)
    }

    #[tokio::test]
    async fn a_page_is_the_application_whatever_its_path_and_is_asked_for_anew() {
        let (_folder, web) = built();
        for path in ["/", "/chat/chat_1", "/campaigns/create?template=1", "/v10"] {
            let (status, headers, body) = ask(&web, Method::GET, path).await;
            assert_eq!(
                (status, body.as_str()),
                (StatusCode::OK, "the page"),
                "{path}"
            );
            assert_eq!(headers["cache-control"], "no-cache");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("ws://localhost:8787"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }

    #[tokio::test]
    async fn built_files_are_kept_for_ever_come_compressed_and_are_missed_when_gone() {
        let (_folder, web) = built();
        let (status, headers, body) = ask(&web, Method::GET, "/assets/main-1.js").await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "small"));
        assert_eq!(headers["content-encoding"], "br");
        assert_eq!(headers["cache-control"], FOR_EVER);
        let (status, ..) = ask(&web, Method::GET, "/assets/main-0.js").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (_, headers, _) = ask(&web, Method::GET, "/icon.svg").await;
        assert_eq!(headers["cache-control"], FOR_AN_HOUR);
    }

    #[tokio::test]
    async fn the_api_stays_where_it_is_and_no_file_lies_outside_the_folder() {
        let (folder, web) = built();
        let (_, _, body) = ask(&web, Method::GET, "/v1/me").await;
        assert_eq!(body, "the API");
        let (status, _, body) = ask(&web, Method::GET, "/v1/nothing").await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_FOUND, ""));
        let (status, ..) = ask(&web, Method::POST, "/login").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let secret = folder.path().parent().unwrap().join("blazz-web-secret");
        std::fs::write(&secret, "secret").unwrap();
        for path in [
            "/../blazz-web-secret",
            "/%2e%2e/blazz-web-secret",
            "/..%2Fblazz-web-secret",
        ] {
            let (_, _, body) = ask(&web, Method::GET, path).await;
            assert_ne!(body, "secret", "{path}");
        }
        std::fs::remove_file(secret).unwrap();
    }

    #[tokio::test]
    async fn where_it_was_not_built_it_says_how_to() {
        let folder = tempfile::tempdir().unwrap();
        let web = in_front_of(Router::new(), folder.path(), "http://localhost:8787");
        let (status, _, body) = ask(&web, Method::GET, "/").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(body.contains("make web"), "{body}");
    }
}
