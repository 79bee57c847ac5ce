//! Requests at a fixed rate, whether or not the earlier ones were answered, from one thread and few
//! connections: what they cost must not be taken from the instance under test.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use local::harness::screen::grouped;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::cost::rounded;

/// As many connections as a busy sender keeps open.
const CONNECTIONS: usize = 32;

/// After this long without an answer the sender gives an attempt up.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a sender waits before it repeats what was not answered with success.
const BEFORE_RETRY: Duration = Duration::from_secs(1);

/// Whole requests as they go over the wire, and how many of them fall due in a second.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) per_second: u32,
    /// Whether what is not answered with success is sent again, until it is.
    pub(crate) repeat: bool,
}

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// The request's place among all.
    pub(crate) place: usize,
    /// When it fell due. It is measured from then, so that a sender that is held up hides nothing.
    pub(crate) due: Instant,
    pub(crate) took: Duration,
    /// `None`: there was no answer.
    pub(crate) status: Option<u16>,
}

impl Attempt {
    pub(crate) fn succeeded(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// A request with a body of JSON as it goes over the wire.
pub(crate) fn send(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = head(method, path, headers);
    let length = body.len();
    request.push_str("content-type: application/json\r\n");
    request.push_str(&format!("content-length: {length}\r\n\r\n{body}"));
    request.into_bytes()
}

pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    (head("GET", path, headers) + "\r\n").into_bytes()
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

/// Where an instance listens: on IPv4 only.
///
/// # Errors
/// The address names no port.
pub(crate) fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    let port: u16 = port.with_context(|| format!("{url} has no port"))?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}

/// Sends everything, on a thread of its own, and returns every attempt once nothing is left to send.
pub(crate) async fn run(load: Load) -> anyhow::Result<Vec<Attempt>> {
    let (done, attempts) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("load".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let attempts = runtime.map(|runtime| {
                let local = LocalSet::new();
                local.block_on(&runtime, all(load))
            });
            // Whoever does not wait any more was interrupted.
            let _ = done.send(attempts);
        })?;
    Ok(attempts.await.context("the thread that sends is gone")??)
}

/// What is still to be sent, in the order in which it falls due.
struct Line {
    load: Load,
    began: Instant,
    next: usize,
    again: VecDeque<(Instant, usize)>,
    /// Sent and not answered yet; they may have to be repeated.
    open: usize,
    attempts: Vec<Attempt>,
}

impl Line {
    /// The next request and when it falls due. A repetition that is due goes first.
    fn take(&mut self) -> Option<(Instant, usize)> {
        let now = Instant::now();
        let taken = if self.again.front().is_some_and(|(due, _)| *due <= now) {
            self.again.pop_front()
        } else if self.next < self.load.requests.len() {
            let after = Duration::from_secs(1) * self.next as u32 / self.load.per_second;
            self.next += 1;
            Some((self.began + after, self.next - 1))
        } else {
            self.again.pop_front()
        };
        self.open += usize::from(taken.is_some());
        taken
    }

    fn enter(&mut self, attempt: Attempt) {
        self.open -= 1;
        if self.load.repeat && !attempt.succeeded() {
            let due = Instant::now() + BEFORE_RETRY;
            self.again.push_back((due, attempt.place));
        }
        self.attempts.push(attempt);
    }
}

async fn all(load: Load) -> Vec<Attempt> {
    let line = Rc::new(RefCell::new(Line {
        began: Instant::now(),
        next: 0,
        again: VecDeque::new(),
        open: 0,
        attempts: Vec::with_capacity(load.requests.len()),
        load,
    }));
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::task::spawn_local(connection(Rc::clone(&line))))
        .collect();
    for connection in connections {
        // A connection that panicked shows as requests without an answer.
        let _ = connection.await;
    }
    std::mem::take(&mut line.borrow_mut().attempts)
}

async fn connection(line: Rc<RefCell<Line>>) {
    let mut connection = None;
    let mut buffer = Vec::new();
    loop {
        let taken = line.borrow_mut().take();
        let Some((due, place)) = taken else {
            if line.borrow().open == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        tokio::time::sleep_until(due.into()).await;
        let (address, request) = {
            let mut line = line.borrow_mut();
            // Taken out while it is on its way, and put back for whoever has to repeat it.
            let request = std::mem::take(&mut line.load.requests[place]);
            (line.load.address, request)
        };
        let answer = within(answer(&mut connection, address, &request, &mut buffer)).await;
        if answer.is_none() {
            connection = None;
        }
        let attempt = Attempt {
            place,
            due,
            took: due.elapsed(),
            status: answer,
        };
        let mut line = line.borrow_mut();
        line.load.requests[place] = request;
        line.enter(attempt);
    }
}

async fn within(answer: impl Future<Output = Option<u16>>) -> Option<u16> {
    tokio::time::timeout(PATIENCE, answer).await.ok().flatten()
}

/// The status of the answer, over a connection that is kept for the next one.
async fn answer(
    connection: &mut Option<TcpStream>,
    address: SocketAddr,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> Option<u16> {
    let stream = match connection {
        Some(stream) => stream,
        none => {
            let stream = TcpStream::connect(address).await.ok()?;
            stream.set_nodelay(true).ok()?;
            none.insert(stream)
        }
    };
    stream.write_all(request).await.ok()?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
        if let Some((status, length)) = parsed(buffer)
            && buffer.len() >= length
        {
            return Some(status);
        }
    }
}

/// The status of an answer whose head is complete, and its whole length.
fn parsed(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    Some((status, end + length.unwrap_or(0)))
}

/// A share of sorted figures lies at or below this one.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted
        .get(place.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// How long attempts took, in milliseconds, sorted.
pub(crate) fn millis<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Vec<f64> {
    let mut millis: Vec<f64> = attempts
        .map(|attempt| attempt.took.as_secs_f64() * 1e3)
        .collect();
    millis.sort_by(f64::total_cmp);
    millis
}

/// Attempts of one kind: a line of the table, the figures of the report, and the time that 99 of 100 kept.
pub(crate) struct Spread {
    pub(crate) line: String,
    pub(crate) json: Value,
    pub(crate) p99_ms: f64,
}

pub(crate) fn spread<'a>(name: &str, attempts: impl Iterator<Item = &'a Attempt>) -> Spread {
    let times = millis(attempts);
    let [middle, p99_ms, most] = [0.5, 0.99, 1.0].map(|share| quantile(&times, share));
    let line = format!(
        "  {name:<12}{:>8}   p50 {middle:>6.1} ms   p99 {p99_ms:>6.1} ms   most {most:>6.1} ms\n",
        grouped(times.len() as u64)
    );
    let ms = json!({"p50": rounded(middle), "p99": rounded(p99_ms), "most": rounded(most)});
    let json = json!({"calls": times.len(), "ms": ms});
    Spread { line, json, p99_ms }
}
