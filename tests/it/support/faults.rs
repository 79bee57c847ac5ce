//! Faults, put between the application and what it stands on: its database, its queues, WhatsApp.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use app::Error;
use app::ports::{Clock, Outgoing, Queue};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use local::dynamo::{Answer, Call, Interceptor, Lost};
use local::queue::LocalQueue;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::clock::TestClock;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not carried out.
    Before,
    /// It is carried out, and the answer is lost.
    After,
}

/// Lets one call of a port fail: the n-th after it was armed.
#[derive(Default)]
pub(crate) struct Nth(Mutex<Armed>);

#[derive(Default)]
struct Armed {
    /// Calls until the one that fails, which is at 1; 0 when nothing fails.
    left: u64,
    fault: Option<Fault>,
}

impl Nth {
    pub(crate) fn arm(&self, n: u64, fault: Fault) {
        *self.0.lock().unwrap() = Armed {
            left: n,
            fault: Some(fault),
        };
    }

    /// Ends it, and says whether there were so many calls that one failed.
    pub(crate) fn disarm(&self) -> bool {
        std::mem::take(&mut *self.0.lock().unwrap()).left == 0
    }

    fn next(&self) -> Option<Fault> {
        let mut armed = self.0.lock().unwrap();
        if armed.left == 0 {
            return None;
        }
        armed.left -= 1;
        armed.fault.filter(|_| armed.left == 0)
    }
}

/// Which calls of the database are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calls {
    Reads,
    Writes,
}

/// A database of which one call fails.
pub(crate) struct FailingStore {
    pub(crate) nth: Nth,
    calls: Calls,
}

impl FailingStore {
    pub(crate) fn new(calls: Calls) -> Self {
        Self {
            nth: Nth::default(),
            calls,
        }
    }
}

impl Interceptor for FailingStore {
    fn call(
        &self,
        call: Call,
        next: local::dynamo::Next,
    ) -> BoxFuture<'static, Result<Answer, Lost>> {
        let reads = ["GetItem", "BatchGetItem", "Query"].contains(&call.operation.as_str());
        let counted = reads == (self.calls == Calls::Reads);
        let fault = if counted { self.nth.next() } else { None };
        Box::pin(async move {
            match fault {
                None => Ok(next.run(call).await),
                Some(Fault::Before) => Err(Lost),
                Some(Fault::After) => {
                    next.run(call).await;
                    Err(Lost)
                }
            }
        })
    }
}

/// A queue of which one send fails, and which remembers all that was sent.
pub(crate) struct FailingQueue {
    pub(crate) nth: Nth,
    queue: LocalQueue,
    sent: Mutex<Vec<Outgoing>>,
}

impl FailingQueue {
    pub(crate) fn new(queue: LocalQueue) -> Self {
        Self {
            nth: Nth::default(),
            queue,
            sent: Mutex::default(),
        }
    }

    /// Sends everything again that was ever sent.
    pub(crate) async fn replay(&self) -> usize {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        let count = sent.len();
        self.queue.send(sent).await.unwrap();
        count
    }
}

impl Queue for FailingQueue {
    fn send(&self, messages: Vec<Outgoing>) -> BoxFuture<'_, Result<(), Error>> {
        self.sent.lock().unwrap().extend(messages.iter().cloned());
        let fault = self.nth.next();
        Box::pin(async move {
            if fault != Some(Fault::Before) {
                self.queue.send(messages).await?;
            }
            match fault {
                None => Ok(()),
                Some(_) => Err(Error::unavailable(
                    "the queue did not answer",
                    "a test wants it so",
                )),
            }
        })
    }
}

/// What becomes of one call of `POST /messages` on its way to Meta and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Meta refuses it with this code.
    Refused(u32),
    /// It does not get through, and something in between answers with HTML.
    HtmlBefore,
    /// It gets through, and something in between answers with HTML.
    HtmlAfter,
    /// It gets through, and the connection is cut in the midst of the answer.
    Cut,
}

/// What becomes of the download of a file that a person sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Download {
    /// The address has expired.
    Gone,
    /// The connection is cut in the midst of the file.
    Cut,
    /// Other bytes arrive.
    Damaged,
    /// Nothing ever arrives.
    Never,
}

/// Meta's door: calls pass it, and it decides which of them go wrong. Every call comes by a connection
/// of its own, so that a door that is shut lets none through.
pub(crate) struct Door {
    clock: TestClock,
    /// The fate of each call, by its number; the first is 1.
    fates: Mutex<BTreeMap<u64, Fate>>,
    calls: AtomicU64,
    /// The fates of the next downloads.
    downloads: Mutex<VecDeque<Download>>,
    /// Shut after so many calls.
    shut_after: Mutex<Option<u64>>,
    shut: Notify,
    opened: Notify,
}

/// How long the door stays shut.
const SHUT: SignedDuration = SignedDuration::from_secs(2);

impl Door {
    pub(crate) fn new(clock: TestClock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            fates: Mutex::default(),
            calls: AtomicU64::new(0),
            downloads: Mutex::default(),
            shut_after: Mutex::default(),
            shut: Notify::new(),
            opened: Notify::new(),
        })
    }

    /// Counts calls from 1 again, with these fates.
    pub(crate) fn decide(&self, fates: impl IntoIterator<Item = (u64, Fate)>) {
        *self.fates.lock().unwrap() = fates.into_iter().collect();
        self.calls.store(0, Ordering::SeqCst);
    }

    /// What becomes of the next downloads.
    pub(crate) fn downloads(&self, fates: impl IntoIterator<Item = Download>) {
        self.downloads.lock().unwrap().extend(fates);
    }

    /// How many of them have not begun.
    pub(crate) fn downloads_left(&self) -> usize {
        self.downloads.lock().unwrap().len()
    }

    /// Shuts after so many calls from now, for a while. The next call cannot even connect.
    pub(crate) async fn shut_after(self: &Arc<Self>, calls: u64) {
        self.decide([]);
        if calls == 0 {
            self.close();
            // The listener is gone when its task had a turn.
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
        } else {
            *self.shut_after.lock().unwrap() = Some(calls);
        }
    }

    fn close(self: &Arc<Self>) {
        self.shut.notify_one();
        let this = Arc::clone(self);
        tokio::spawn(async move {
            Clock::sleep_until(&this.clock, this.clock.now() + SHUT).await;
            this.opened.notify_one();
        });
    }

    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, meta: Router) {
        let address = listener.local_addr().unwrap();
        let router = meta.layer(from_fn_with_state(Arc::clone(&self), pass));
        let doorway = Doorway {
            door: self,
            address,
            listener: Some(listener),
        };
        axum::serve(doorway, router).await.unwrap();
    }
}

async fn pass(State(door): State<Arc<Door>>, request: Request, meta: Next) -> Response {
    if request
        .uri()
        .path()
        .starts_with("/whatsapp_business/attachments")
    {
        let fate = door.downloads.lock().unwrap().pop_front();
        return closing(match fate {
            None => meta.run(request).await,
            Some(Download::Gone) => StatusCode::NOT_FOUND.into_response(),
            Some(Download::Damaged) => "something else".into_response(),
            Some(Download::Cut) => cut(b"\xff\xd8\xff"),
            Some(Download::Never) => std::future::pending().await,
        });
    }
    if !request.uri().path().ends_with("/messages") || request.method() != "POST" {
        return closing(meta.run(request).await);
    }
    let call = door.calls.fetch_add(1, Ordering::SeqCst) + 1;
    let fate = door.fates.lock().unwrap().get(&call).copied();
    let answer = match fate {
        None => meta.run(request).await,
        Some(Fate::Refused(code)) => refusal(code),
        Some(Fate::HtmlBefore) => html(),
        Some(Fate::HtmlAfter) => {
            meta.run(request).await;
            html()
        }
        Some(Fate::Cut) => {
            meta.run(request).await;
            cut(b"{\"messages\": [")
        }
    };
    let shuts = door
        .shut_after
        .lock()
        .unwrap()
        .take_if(|after| *after == call);
    if shuts.is_some() {
        door.close();
    }
    closing(answer)
}

/// An answer that begins like this and breaks off.
fn cut(beginning: &'static [u8]) -> Response {
    let parts = [
        Ok(Bytes::from_static(beginning)),
        Err(std::io::Error::other("cut")),
    ];
    Body::from_stream(futures::stream::iter(parts)).into_response()
}

fn closing(mut answer: Response) -> Response {
    answer
        .headers_mut()
        .insert(header::CONNECTION, "close".parse().unwrap());
    answer
}

/// Meta's envelope; 429 or 400, as Meta answers these codes.
fn refusal(code: u32) -> Response {
    let error = json!({"error": {"message": format!("(#{code}) Refused"), "type": "OAuthException",
        "code": code, "error_data": {"messaging_product": "whatsapp", "details": "A test wants it so"},
        "fbtrace_id": "A"}});
    let status = if code == 130_429 { 429 } else { 400 };
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        error.to_string(),
    )
        .into_response()
}

fn html() -> Response {
    let page = "<html><body>Sorry, something went wrong.</body></html>";
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        axum::response::Html(page),
    )
        .into_response()
}

/// A listener that is there only while the door is open.
struct Doorway {
    door: Arc<Door>,
    address: SocketAddr,
    listener: Option<TcpListener>,
}

impl axum::serve::Listener for Doorway {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match &self.listener {
                Some(listener) => {
                    tokio::select! {
                        biased;
                        () = self.door.shut.notified() => self.listener = None,
                        accepted = listener.accept() => return accepted.unwrap(),
                    }
                }
                None => {
                    self.door.opened.notified().await;
                    self.listener = Some(TcpListener::bind(self.address).await.unwrap());
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}
