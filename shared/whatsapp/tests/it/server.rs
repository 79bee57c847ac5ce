//! A server of a few lines that speaks just enough HTTP to answer, or to break off anywhere.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use whatsapp::{AccessToken, Client};

/// What happens to one request once it has arrived in full.
#[derive(Clone)]
pub(crate) enum Reply {
    Answer(u16, String),
    /// The head promises more bytes than ever come.
    Cut(u16, String),
    /// The connection is reset.
    Reset,
    /// The connection is closed in good order, without a word.
    Close,
    Silence,
}

pub(crate) struct Server {
    pub(crate) client: Client,
    origin: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Gives the replies one by one; the last is repeated.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let replies = replies.into_iter().collect();
        let seen = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, replies, Arc::clone(&seen)));
        Self {
            client: client(&format!("{origin}/v26.0")),
            origin,
            seen,
        }
    }

    /// An address at this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The requests, head and body, as they came.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

pub(crate) fn client(base_url: &str) -> Client {
    Client::new(base_url, Duration::from_millis(400)).unwrap()
}

pub(crate) fn token() -> AccessToken {
    AccessToken("EAAB-secret".to_owned())
}

async fn serve(listener: TcpListener, replies: Vec<Reply>, seen: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, replies.clone(), Arc::clone(&seen)));
    }
}

async fn converse(mut stream: TcpStream, replies: Vec<Reply>, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = request(&mut stream).await {
        let count = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len()
        };
        let reply = replies.get(count - 1).or(replies.last()).unwrap();
        let (status, body, promised) = match reply {
            Reply::Answer(status, body) => (status, body, body.len()),
            Reply::Cut(status, body) => (status, body, body.len() + 50),
            Reply::Reset => return stream.set_zero_linger().unwrap(),
            Reply::Close => return,
            Reply::Silence => return tokio::time::sleep(Duration::from_secs(60)).await,
        };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {promised}\r\n\r\n");
        stream.write_all((head + body).as_bytes()).await.unwrap();
        if promised > body.len() {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length.split("content-length: ").nth(1);
            let length = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}
