//! The list of functions: which code is which function. Nothing else is decided here.

use std::future::Future;
use std::sync::Arc;

use app::task::{QueueName, Task, Verdict};
use app::{App, Error, task};
use axum::Router;
use futures::future::BoxFuture;
use http_api::{plain, with_app};

use super::sockets;

/// What a queue function does with the body of one message.
pub(super) type Handler = Arc<dyn Fn(App, String) -> BoxFuture<'static, Verdict> + Send + Sync>;

/// What a scheduled function does when its time has come.
pub(super) type Tick = Arc<dyn Fn(App) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// The code of one function for one kind of trigger.
pub(super) enum Entry {
    Http(Router),
    Queue(QueueName, Handler),
    Schedule(Tick),
    Socket(sockets::Handler),
}

pub(super) fn all(app: &App) -> Vec<(&'static str, Entry)> {
    let http = |router: Router<App>| Entry::Http(with_app(router, app.clone()));
    vec![
        ("api-workspace", http(plain(api_workspace::router()))),
        ("api-contacts", http(plain(api_contacts::router()))),
        ("api-campaigns", http(plain(api_campaigns::router()))),
        ("api-chat", http(plain(api_chat::router()))),
        ("webhook-ingest", http(plain(webhook_ingest::router()))),
        ("contact-import", queue(contact_import::handle)),
        (
            "campaign-tick",
            Entry::Schedule(Arc::new(|app| Box::pin(campaign_tick::handle(app)))),
        ),
        ("campaign-plan", queue(campaign_plan::handle)),
        ("campaign-export", queue(campaign_export::handle)),
        ("campaign-dispatch", queue(campaign_dispatch::handle)),
        ("message-send", queue(message_send::campaign)),
        ("message-send", queue(message_send::chat)),
        ("media-fetch", queue(media_fetch::handle)),
        ("notify", queue(notify::handle)),
        ("webhook-process", queue(webhook_process::handle)),
        ("broadcast", queue(broadcast::handle)),
        (
            "realtime",
            Entry::Socket(Arc::new(|app, call| Box::pin(realtime::handle(app, call)))),
        ),
    ]
}

/// The type of the task says which queue the handler reads.
pub(super) fn queue<T, F, Fut>(handler: F) -> Entry
where
    T: Task,
    F: Fn(App, T) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Error>> + Send + 'static,
{
    let handler: Handler =
        Arc::new(move |app, body| Box::pin(async move { task::run(app, &body, handler).await }));
    Entry::Queue(T::QUEUE, handler)
}
