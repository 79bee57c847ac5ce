//! One whole local process: everything that is started, and the order in which it stops.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use app::App;
use app::config::Config;
use app::ports::{Clock, Queue};
use app::secret::MasterKey;
use axum::serve::ListenerExt;
use simulator::universe;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::data_folder::{DataFolder, Keys};
use crate::development;
use crate::dynamo::{self, Dynamo};
use crate::files::LocalFiles;
use crate::host::{Host, Pollers, Sockets};
use crate::mailbox::Mailbox;
use crate::queue::{self, LocalQueue, Twice};
use crate::report;
use crate::seed::{self, Demo, SimulatedNumber};
use crate::settings::{Outside, Settings};
use crate::simulated::{self, Simulated};
use crate::template::Stack;
use crate::web;
use app::clock::SystemClock;

/// The version of Meta's API that the simulator speaks.
const GRAPH_VERSION: &str = "v26.0";

/// How long a stop waits for what is in flight. What is cut off is taken up at the next start.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often expired items are deleted. Nobody waits for it: readers check the time themselves.
const SWEEP: Duration = Duration::from_secs(600);

/// A running process.
pub struct Process {
    pub host: Host,
    pub dynamo: Dynamo,
    /// Where people reach it.
    pub url: String,
    pub simulator_url: String,
    /// The demo workspace of the first start.
    pub demo: Demo,
    pollers: Pollers,
    server: JoinHandle<std::io::Result<()>>,
    sweeper: JoinHandle<()>,
    stop: CancellationToken,
    sockets: Sockets,
    /// `None`: it runs elsewhere.
    simulator: Option<Simulated>,
    _data: DataFolder,
}

impl Process {
    /// Starts everything, and at the first start makes the demo workspace.
    ///
    /// # Errors
    /// Something cannot be opened, or the template and the code do not agree.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let stack = Stack::embedded().context("the template cannot be run here")?;
        let data = DataFolder::open(&settings.data)?;
        let mut keys = data.keys()?;
        let listener = listen(settings.bind, settings.port)?;
        let callback = callback(listener.local_addr()?);
        let port = listener.local_addr()?.port();
        let (simulator, simulator_url) = if let Some(outside) = &settings.simulator {
            let Outside {
                url,
                token,
                app_secret,
            } = outside.clone();
            (keys.simulator_token, keys.app_secret) = (token, app_secret);
            (None, url)
        } else {
            let port = if settings.port == 0 { 0 } else { port + 1 };
            let listener = listen(IpAddr::V4(Ipv4Addr::LOCALHOST), port)?;
            let url = format!("http://{}", listener.local_addr()?);
            let world = world(&settings, &keys, &data, &callback);
            (Some(Simulated::start(listener, world).await?), url)
        };

        let url = settings
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://localhost:{port}"));
        let opened = Opened::open(&stack, &data, &keys, &url, &simulator_url, &settings)?;
        let Opened {
            config,
            dynamo,
            queue,
            files,
            mailbox,
            clock,
        } = opened;
        let sender: Arc<dyn Queue> = if settings.duplicates {
            Arc::new(Twice::new(queue.clone(), settings.seed))
        } else {
            Arc::new(queue.clone())
        };
        let sockets = Sockets::default();
        let app = App::new(
            config,
            dynamo.client(),
            sender,
            Arc::new(files.clone()),
            Arc::new(sockets.clone()),
            Arc::new(mailbox.clone()),
            clock,
        )?;
        let host = Host::new(app.clone(), &stack, queue, files, sockets.clone())?;
        let mut router = host
            .http_router()
            .merge(mailbox.router())
            .merge(development::router(&simulator_url, &keys.simulator_token));
        if settings.report {
            router = router.merge(report::router(dynamo.clone(), host.clone()));
        }
        let router = web::in_front_of(router, &settings.web, &url);
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(listener, router, stop.clone()));
        let pollers = host.start_pollers();
        let sweeper = tokio::spawn(sweep(dynamo.clone()));
        if settings.simulator.is_some() {
            simulated::subscribe(&simulator_url, &callback, &keys.verify_token).await?;
        }
        // Last, because connecting a number makes WhatsApp call back.
        let number = SimulatedNumber {
            waba_id: universe::WABA.to_owned(),
            phone_number_id: universe::NUMBER.to_owned(),
            access_token: keys.simulator_token,
        };
        let demo = seed::demo(&app, &url, &simulator_url, number, &data.file("demo.json"))
            .await
            .context("the demo workspace cannot be made")?;
        Ok(Self {
            host,
            dynamo,
            url,
            simulator_url,
            demo,
            pollers,
            server,
            sweeper,
            stop,
            sockets,
            simulator,
            _data: data,
        })
    }

    /// Stops without losing anything: first what takes new work, last what the work needs.
    ///
    /// # Errors
    /// A part of it had already failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.sweeper.abort();
        self.stop.cancel();
        self.sockets.close();
        if !self.pollers.stop(PATIENCE).await {
            tracing::warn!("work in flight was cut off and is taken up at the next start");
        }
        // Connections that are kept open for later end by themselves, but not soon.
        let served = tokio::time::timeout(PATIENCE, self.server).await;
        if let Some(simulator) = self.simulator {
            simulator.stop().await?;
        }
        match served {
            Ok(ended) => ended?.context("the server failed"),
            Err(_) => Ok(()),
        }
    }
}

/// What an application stands on, in one data folder.
pub(crate) struct Opened {
    pub(crate) config: Config,
    pub(crate) dynamo: Dynamo,
    pub(crate) queue: LocalQueue,
    pub(crate) files: LocalFiles,
    pub(crate) mailbox: Mailbox,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Opened {
    pub(crate) fn open(
        stack: &Stack,
        data: &DataFolder,
        keys: &Keys,
        url: &str,
        simulator_url: &str,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let dynamo = Dynamo::open(dynamo::Place::File(data.file("data.db")), &stack.tables)?;
        let place = queue::Place::File(data.file("queue.db"));
        let queue = LocalQueue::open(&place, &stack.queues, Arc::clone(&clock))?;
        let files = LocalFiles::open(
            &data.file("files"),
            url,
            keys.master_key.as_bytes(),
            Arc::clone(&clock),
        )
        .context("the folder of files cannot be used")?;
        let mailbox = Mailbox::open(&data.file("mailbox.jsonl"), Arc::clone(&clock))
            .context("the mailbox cannot be used")?;
        let config = Config {
            public_url: url.to_owned(),
            realtime_url: stack.realtime_url(url),
            graph_url: format!("{simulator_url}/{GRAPH_VERSION}"),
            graph_timeout: settings.graph_timeout,
            app_secrets: vec![keys.app_secret.clone()],
            verify_token: keys.verify_token.clone(),
            master_key: MasterKey::parse(&keys.master_key)?,
            tables: stack.table_names()?,
            queues: stack.queue_names(),
            bucket: stack.buckets.first().cloned().unwrap_or_default(),
            secure_cookies: !settings.plain_cookie,
            requests_per_minute: settings.requests_per_minute,
            proxies: settings.proxies,
        };
        Ok(Self {
            config,
            dynamo,
            queue,
            files,
            mailbox,
            clock,
        })
    }
}

fn listen(address: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((address, port))
        .with_context(|| format!("{address}:{port} cannot be listened on"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Where the simulator on this machine delivers webhooks.
fn callback(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{address}/webhooks/whatsapp")
}

/// The simulated Meta: it knows this installation's secrets and calls it back.
fn world(
    settings: &Settings,
    keys: &Keys,
    data: &DataFolder,
    callback: &str,
) -> simulator::Settings {
    simulator::Settings {
        seed: settings.seed,
        webhook_url: callback.to_owned(),
        verify_token: keys.verify_token.clone(),
        app_secret: keys.app_secret.clone(),
        token: keys.simulator_token.clone(),
        data: Some(data.file("simulator.db")),
        ..simulator::Settings::default()
    }
}

async fn serve(
    listener: TcpListener,
    router: axum::Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
        // Small answers must not wait for more to send.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stop.cancelled_owned())
    .await
}

async fn sweep(dynamo: Dynamo) {
    loop {
        match dynamo.sweep_expired().await {
            Ok(0) => {}
            Ok(items) => tracing::debug!(items, "expired items are gone"),
            Err(error) => tracing::error!(%error, "expired items cannot be deleted"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}
