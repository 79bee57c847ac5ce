//! A running simulator: its engine, its routes, its end.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::connection::{Cuttable, Scissors};
use crate::core::{Core, lock};
use crate::faults::Rule;
use crate::gauges::Activity;
use crate::settings::Settings;
use crate::time::Time;
use crate::{control, graph, webhooks};

/// A simulated Meta. It stops when it is dropped; what was not delivered is in its data file.
pub struct Simulator {
    core: Arc<Core>,
    engine: JoinHandle<()>,
}

impl Simulator {
    /// Reads the data file, if there is one, and starts delivering on the current tokio runtime.
    pub fn start(settings: Settings, time: Arc<dyn Time>) -> anyhow::Result<Self> {
        let core = Arc::new(Core::new(settings, time)?);
        let engine = tokio::spawn(webhooks::run(Arc::clone(&core)));
        Ok(Self { core, engine })
    }

    /// The Graph surface, the control plane and the page.
    pub fn router(&self) -> Router {
        control::router()
            .merge(graph::router())
            .layer(from_fn_with_state(Arc::clone(&self.core), count))
            .with_state(Arc::clone(&self.core))
    }

    /// Serves the router until the simulator stops; answers that are being waited for still go out.
    pub fn serve(
        &self,
        listener: TcpListener,
    ) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        let router = self.router();
        let mut stopped = self.core.stopped.subscribe();
        async move {
            let service = router.into_make_service_with_connect_info::<Scissors>();
            axum::serve(Cuttable(listener), service)
                .with_graceful_shutdown(async move {
                    let _ = stopped.wait_for(|stopped| *stopped).await;
                })
                .await?;
            Ok(())
        }
    }

    /// Adds rules for sends that are to go wrong: a list in JSON of what `POST /_control/rules`
    /// takes.
    pub fn add_rules(&self, rules: &str) -> anyhow::Result<()> {
        let rules: Vec<Rule> = serde_json::from_str(rules)?;
        for rule in rules {
            rule.check().map_err(anyhow::Error::msg)?;
            lock(&self.core.rules).add(rule);
        }
        Ok(())
    }

    /// Turns switches: JSON as `PATCH /_control/switches` takes it.
    pub fn turn_switches(&self, turn: &str) -> anyhow::Result<()> {
        let turn = serde_json::from_str(turn)?;
        control::turn_switches(&self.core, &turn).map_err(anyhow::Error::msg)
    }

    /// What is going on right now.
    pub fn activity(&self) -> Activity {
        self.core.activity()
    }

    /// Stops delivering and closes the data file. Deliveries that are open are cut off, and count
    /// as not made.
    pub async fn stop(mut self) {
        self.engine.abort();
        let _ = (&mut self.engine).await;
        let core = Arc::clone(&self.core);
        let _ = tokio::task::spawn_blocking(move || core.close()).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.engine.abort();
        self.core.close();
    }
}

/// Keeps the gauge of requests, and turns requests away that nobody would deliver for any more.
async fn count(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    if *core.stopped.borrow() {
        let refusal = graph::Refusal::new(2, "The simulator is stopping");
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            refusal.envelope("").to_string(),
        )
            .into_response();
    }
    let _entered = core.requests.enter();
    next.run(request).await
}
