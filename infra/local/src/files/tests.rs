use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use domain::media::MediaType;
use jiff::Timestamp;
use tower::ServiceExt;

use super::*;
use crate::contract;
use app::clock::SystemClock;

const BASE: &str = "http://blazz.test";
const MINUTE: Duration = Duration::from_secs(60);

struct Bench {
    files: LocalFiles,
    folder: tempfile::TempDir,
}

fn bench_at(clock: Arc<dyn Clock>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let files = LocalFiles::open(folder.path(), BASE, b"secret", clock).unwrap();
    Bench { files, folder }
}

fn bench() -> Bench {
    bench_at(Arc::new(SystemClock))
}

async fn send(
    files: &LocalFiles,
    method: &str,
    url: &str,
    body: impl Into<Body>,
) -> (StatusCode, HeaderMap, Bytes) {
    let path = url.strip_prefix(BASE).unwrap_or(url);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(body.into())
        .unwrap();
    let answer = files.router().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    (
        parts.status,
        parts.headers,
        to_bytes(body, usize::MAX).await.unwrap(),
    )
}

impl contract::files::Subject for Bench {
    fn port(&self) -> &dyn Files {
        &self.files
    }

    async fn put(&self, url: &str, _: &[(String, String)], body: Bytes) -> u16 {
        send(&self.files, "PUT", url, body).await.0.as_u16()
    }

    async fn get(&self, url: &str) -> (u16, Bytes) {
        let (status, _, body) = send(&self.files, "GET", url, Body::empty()).await;
        (status.as_u16(), body)
    }
}

#[tokio::test]
async fn it_keeps_the_contract_of_the_port() {
    contract::files::all(|| async { bench() }).await;
}

#[tokio::test]
async fn a_link_ends_with_its_time() {
    struct Fixed(Timestamp);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            self.0
        }
        fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }
    let start = Timestamp::from_second(1_800_000_000).unwrap();
    let bench = bench_at(Arc::new(Fixed(start)));
    let link = bench.files.presign_put("a/b.csv", 1, MINUTE).await.unwrap();
    let late = LocalFiles::open(
        bench.folder.path(),
        BASE,
        b"secret",
        Arc::new(Fixed(start + MINUTE)),
    )
    .unwrap();
    assert_eq!(
        send(&late, "PUT", &link.url, "x").await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        send(&bench.files, "PUT", &link.url, "x").await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_link_is_good_only_for_what_was_signed() {
    let bench = bench();
    bench
        .files
        .put("a.csv", Bytes::from_static(b"a"))
        .await
        .unwrap();
    bench
        .files
        .put("b.csv", Bytes::from_static(b"b"))
        .await
        .unwrap();
    let get = bench
        .files
        .presign_get("a.csv", Served::saved("name.csv"), MINUTE)
        .await
        .unwrap()
        .url;
    let put = bench
        .files
        .presign_put("a.csv", 1, MINUTE)
        .await
        .unwrap()
        .url;
    for (method, url) in [
        ("GET", get.replace("a.csv?", "b.csv?")),
        ("GET", get.replace("name%2Ecsv", "other")),
        ("GET", get.replace("name=", "type=application/pdf&name=")),
        ("GET", get.replace("name=", "type=text/html&name=")),
        ("GET", get.replace("expires=", "expires=9")),
        ("GET", format!("{get}0")),
        ("GET", put.clone()),
        ("PUT", get.clone()),
        ("PUT", put.replace("size=1", "size=9")),
        (
            "GET",
            format!("{BASE}/_files/a.csv?expires=99999999999&name=x&signature="),
        ),
    ] {
        let (status, headers, _) = send(&bench.files, method, &url, "x").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {url}");
        assert_eq!(headers["content-type"], "application/problem+json");
    }
    let other = LocalFiles::open(
        bench.folder.path(),
        BASE,
        b"other secret",
        Arc::new(SystemClock),
    )
    .unwrap();
    assert_eq!(
        send(&other, "GET", &get, Body::empty()).await.0,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_refused_upload_leaves_nothing_behind() {
    let bench = bench();
    let link = bench
        .files
        .presign_put("a.csv", 3, MINUTE)
        .await
        .unwrap()
        .url;
    assert_eq!(
        send(&bench.files, "PUT", &link, "four").await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let chunks =
        ["tw", "oo"].map(|chunk| Ok::<_, std::io::Error>(Bytes::from_static(chunk.as_bytes())));
    let unannounced = Body::from_stream(futures::stream::iter(chunks));
    assert_eq!(
        send(&bench.files, "PUT", &link, unannounced).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(
        send(&bench.files, "PUT", &link, "no").await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(bench.files.size("a.csv").await.unwrap(), None);
    let unfinished = std::fs::read_dir(bench.folder.path().join(UNFINISHED)).unwrap();
    assert_eq!(unfinished.count(), 0);
}

#[tokio::test]
async fn no_key_leaves_the_folder() {
    let bench = bench();
    for key in [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a//b",
        "",
        ".unfinished/x",
        "a/.x",
        "a\\b",
        "a b",
        "ä",
        "a\0",
    ] {
        assert!(
            bench.files.presign_put(key, 1, MINUTE).await.is_err(),
            "{key:?}"
        );
        assert!(bench.files.put(key, Bytes::new()).await.is_err(), "{key:?}");
        assert!(bench.files.open(key, 0).await.is_err(), "{key:?}");
        assert!(bench.files.size(key).await.is_err(), "{key:?}");
    }
}

#[tokio::test]
async fn a_signature_does_not_make_a_path_harmless() {
    let bench = bench();
    let until = SystemClock.now().as_second() + 60;
    let signature = bench
        .files
        .0
        .signer
        .sign("../x", &Grant::Put { size: 1 }, until);
    let url = format!("/_files/..%2Fx?expires={until}&size=1&signature={signature}");
    assert_eq!(
        send(&bench.files, "PUT", &url, "x").await.0,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert!(!bench.folder.path().parent().unwrap().join("x").exists());
}

#[tokio::test]
async fn a_download_is_an_attachment_that_nobody_guesses_the_type_of() {
    let bench = bench();
    bench
        .files
        .put("a.csv", Bytes::from_static(b"<script>"))
        .await
        .unwrap();
    let link = bench
        .files
        .presign_get("a.csv", Served::saved("Größe \"1\".csv"), MINUTE)
        .await
        .unwrap();
    let (status, headers, body) = send(&bench.files, "GET", &link.url, Body::empty()).await;
    assert_eq!(
        (status, body.as_ref()),
        (StatusCode::OK, b"<script>".as_ref())
    );
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"Gr__e _1_.csv\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.csv"
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["content-type"], "application/octet-stream");
    assert_eq!(headers["content-length"], "8");
}

#[tokio::test]
async fn a_picture_is_shown_in_place_and_a_player_may_ask_for_a_part() {
    let bench = bench();
    let sound = Bytes::from_static(b"OggS and so on");
    bench.files.put("a", sound).await.unwrap();
    let served = |mime_type| Served {
        name: "a.ogg",
        mime_type: Some(mime_type),
    };
    let link = bench.files.presign_get("a", served(MediaType::Ogg), MINUTE);
    let link = link.await.unwrap().url;
    let (status, headers, _) = send(&bench.files, "GET", &link, Body::empty()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "audio/ogg");
    let disposition = headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("inline"), "{disposition}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("sandbox"), "{policy}");

    let request = Request::get(link.strip_prefix(BASE).unwrap()).header("range", "bytes=5-7");
    let request = request.body(Body::empty()).unwrap();
    let answer = bench.files.router().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.headers()["content-range"], "bytes 5-7/14");
    assert_eq!(answer.headers()["content-type"], "audio/ogg");
    let part = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert_eq!(part, "and");

    // What could run in a browser is no type of ours, and a text is saved.
    let link = bench
        .files
        .presign_get("a", served(MediaType::Text), MINUTE);
    let link = link.await.unwrap().url;
    let (_, headers, _) = send(&bench.files, "GET", &link, Body::empty()).await;
    let disposition = headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
}

#[tokio::test]
async fn what_a_dead_process_did_not_finish_is_thrown_away() {
    let bench = bench();
    let left = bench.folder.path().join(UNFINISHED).join("half");
    std::fs::write(&left, "half").unwrap();
    LocalFiles::open(bench.folder.path(), BASE, b"secret", Arc::new(SystemClock)).unwrap();
    assert!(!left.exists());
}
