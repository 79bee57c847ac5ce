use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message as Text;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::super::tests::app;
use super::*;
use crate::contract;
use crate::template::Stack;

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A gateway over a function that lets everybody in and answers with what it was told.
struct Bench {
    sockets: Sockets,
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    clients: HashMap<String, Client>,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new(limits: Limits) -> Self {
        let (app, folder) = app();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&calls);
        let handler: Handler = Arc::new(move |_, call| {
            heard.lock().unwrap().push(call.clone());
            Box::pin(async move {
                match call {
                    Call::Connect { ticket, .. } if ticket == "bad" => Err(Error::Unauthenticated),
                    Call::Message { text, .. } => Ok(Some(Frame::Error {
                        code: "heard".into(),
                        detail: text,
                    })),
                    Call::Connect { .. } | Call::Disconnect { .. } => Ok(None),
                }
            })
        });
        let sockets = Sockets::default();
        let gateway = Gateway {
            app,
            function: "realtime".into(),
            handler,
            timeout: Duration::from_secs(10),
            limits,
            sockets: sockets.clone(),
            open: Gauge::default(),
            meter: Meter::of(&Stack::default()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws?ticket=", listener.local_addr().unwrap());
        let router = router("/ws", gateway);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            sockets,
            url,
            calls,
            clients: HashMap::new(),
            _folder: folder,
        }
    }

    async fn connect(&self) -> Client {
        let (client, _) = connect_async(format!("{}good", self.url)).await.unwrap();
        client
    }

    /// A socket that the gateway has open and whose client is not known here.
    fn newcomer(&self) -> Option<String> {
        let open = self.sockets.lock();
        let new = open.keys().find(|id| !self.clients.contains_key(*id));
        new.cloned()
    }

    /// Waits until the function was called with something.
    async fn called(&self, with: impl Fn(&Call) -> bool) {
        while !self.calls.lock().unwrap().iter().any(&with) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl contract::push::Subject for Bench {
    fn port(&self) -> &dyn Push {
        &self.sockets
    }

    async fn open(&mut self) -> String {
        let client = self.connect().await;
        // The client may know that it is open before the gateway has it on its list.
        loop {
            if let Some(id) = self.newcomer() {
                self.clients.insert(id.clone(), client);
                return id;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn next(&mut self, socket: &str) -> String {
        let client = self.clients.get_mut(socket).unwrap();
        client
            .next()
            .await
            .unwrap()
            .unwrap()
            .into_text()
            .unwrap()
            .to_string()
    }

    async fn close(&mut self, socket: &str) {
        self.clients
            .get_mut(socket)
            .unwrap()
            .close(None)
            .await
            .unwrap();
        self.called(|call| matches!(call, Call::Disconnect { socket: id } if id == socket))
            .await;
    }
}

#[tokio::test]
async fn it_keeps_the_contract_of_the_port() {
    contract::push::all(|| Bench::new(Limits::default())).await;
}

#[tokio::test]
async fn a_socket_that_the_function_refuses_does_not_open() {
    let bench = Bench::new(Limits::default()).await;
    let refused = connect_async(format!("{}bad", bench.url)).await;
    let refused = refused.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("401"), "{refused}");
}

#[tokio::test]
async fn a_frame_is_answered_to_its_client() {
    let bench = Bench::new(Limits::default()).await;
    let mut client = bench.connect().await;
    client.send(Text::text("hello")).await.unwrap();
    let answer = client.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(
        answer.as_str(),
        r#"{"type":"error","code":"heard","detail":"hello"}"#
    );
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_socket() {
    let bench = Bench::new(Limits::default()).await;
    let mut client = bench.connect().await;
    client
        .send(Text::text("x".repeat(FRAME_MAX + 1)))
        .await
        .unwrap();
    bench
        .called(|call| matches!(call, Call::Disconnect { .. }))
        .await;
    let heard = bench.calls.lock().unwrap();
    assert!(
        !heard
            .iter()
            .any(|call| matches!(call, Call::Message { .. }))
    );
}

#[tokio::test]
async fn an_idle_socket_and_an_old_one_are_closed_and_the_function_hears_of_it() {
    let long = Duration::from_secs(3600);
    let short = Duration::from_millis(20);
    for limits in [
        Limits {
            idle: short,
            life: long,
        },
        Limits {
            idle: long,
            life: short,
        },
    ] {
        let bench = Bench::new(limits).await;
        let mut client = bench.connect().await;
        assert!(
            matches!(client.next().await, Some(Ok(Text::Close(_)))),
            "{limits:?}"
        );
        bench
            .called(|call| matches!(call, Call::Disconnect { .. }))
            .await;
    }
}

#[tokio::test]
async fn a_gateway_that_stops_closes_its_sockets() {
    let bench = Bench::new(Limits::default()).await;
    let mut client = bench.connect().await;
    bench.sockets.close();
    assert!(matches!(client.next().await, Some(Ok(Text::Close(_)))));
}
