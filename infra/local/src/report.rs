//! `GET /_local/report`: what was asked of database, queues and functions since the start, for whoever
//! measures this process from outside. It is there only when the settings ask for it.

use app::Error;
use app::task::QueueName;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http_api::Failure;
use serde_json::{Map, Value, json};

use crate::dynamo::Dynamo;
use crate::host::Host;

#[derive(Clone)]
struct Sources {
    dynamo: Dynamo,
    host: Host,
}

pub(crate) fn router(dynamo: Dynamo, host: Host) -> Router {
    Router::new()
        .route("/_local/report", get(report))
        .with_state(Sources { dynamo, host })
}

async fn report(State(sources): State<Sources>) -> Result<Json<Value>, Failure> {
    let Sources { dynamo, host } = sources;
    Ok(Json(json!({
        "database": database(&dynamo),
        "queues": queues(&host).await?,
        "functions": functions(&host),
    })))
}

fn database(dynamo: &Dynamo) -> Value {
    let operations = dynamo.counts().operations().into_iter();
    let operations = operations.map(|(operation, count)| {
        let line = json!({
            "calls": count.calls,
            "refused": count.refused,
            "units": count.units,
            "refused_units": count.refused_units,
        });
        (operation, line)
    });
    Value::Object(operations.collect())
}

async fn queues(host: &Host) -> Result<Value, Error> {
    let tallies = host.queue().requests().tallies();
    let mut queues = Map::new();
    for queue in QueueName::ALL {
        let tally = tallies.get(queue.as_str()).copied().unwrap_or_default();
        let stats = host.queue().stats(queue).await?;
        let line = json!({
            "send": tally.send,
            "receive": tally.receive,
            "delete": tally.delete,
            "change_visibility": tally.change_visibility,
            "messages": tally.messages,
            "waiting": stats.ready + stats.delayed + stats.in_flight,
            "dead": stats.dead,
        });
        queues.insert(queue.as_str().to_owned(), line);
    }
    Ok(Value::Object(queues))
}

fn functions(host: &Host) -> Value {
    let uses = host.meter().uses().into_iter();
    let uses = uses.map(|(function, used)| {
        let line = json!({
            "invocations": used.invocations,
            "requests": used.requests,
            "seconds": used.busy.as_secs_f64(),
            "memory_mb": used.memory_mb,
        });
        (function, line)
    });
    Value::Object(uses.collect())
}
