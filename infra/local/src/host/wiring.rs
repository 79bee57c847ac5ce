//! Puts the template's functions and their code together, and finds where they differ.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use app::task::QueueName;

use super::HostError;
use super::functions::{Entry, Handler};
use super::meter::Meter;
use super::routing::Routes;
use super::schedule::Schedule;
use super::sockets;
use crate::gauge::Gauge;
use crate::template::{Function, Source, Stack};

/// How many invocations run at a time when the template sets no limit. AWS sets none either, but
/// has more than one machine.
const CONCURRENCY: usize = 16;

/// A queue function on one of its queues.
pub(super) struct Consumer {
    pub(super) function: String,
    pub(super) handler: Handler,
    pub(super) timeout: Duration,
    pub(super) batch_size: usize,
    pub(super) concurrency: usize,
}

pub(super) struct Wired {
    pub(super) routes: Routes,
    pub(super) consumers: HashMap<QueueName, Consumer>,
    pub(super) schedules: Vec<Schedule>,
    pub(super) socket: Option<Socket>,
}

/// The function behind the websockets.
pub(super) struct Socket {
    pub(super) path: String,
    pub(super) function: String,
    pub(super) handler: sockets::Handler,
    pub(super) timeout: Duration,
}

pub(super) fn wire(
    stack: &Stack,
    entries: Vec<(&'static str, Entry)>,
    open: &Gauge,
    meter: &Meter,
) -> Result<Wired, HostError> {
    let mut wired = Wired {
        routes: Routes::new(open.clone(), meter.clone()),
        consumers: HashMap::new(),
        schedules: Vec::new(),
        socket: None,
    };
    let mut met = Triggers::default();
    for (name, entry) in entries {
        let function = stack.function(name).ok_or(HostError::NoFunction(name))?;
        match entry {
            Entry::Http(router) => {
                met.http.insert(name);
                for route in &function.routes {
                    wired.routes.add(function, route, router.clone());
                }
            }
            Entry::Queue(queue, handler) => {
                met.queues.insert((name, queue.as_str()));
                let source = source(function, queue)?;
                wired
                    .consumers
                    .insert(queue, consumer(function, source, handler));
            }
            Entry::Socket(handler) => {
                met.sockets.insert(name);
                let websocket = stack.websocket.as_ref();
                let websocket = websocket.filter(|websocket| websocket.function == name);
                let websocket = websocket
                    .ok_or_else(|| disagree(function, "is behind no websockets in the template"))?;
                wired.socket = Some(Socket {
                    path: websocket.path.clone(),
                    function: function.name.clone(),
                    handler,
                    timeout: function.timeout,
                });
            }
            Entry::Schedule(tick) => {
                met.schedules.insert(name);
                for every in &function.schedules {
                    wired.schedules.push(Schedule::new(
                        function,
                        *every,
                        tick.clone(),
                        meter.clone(),
                    ));
                }
            }
        }
    }
    for function in &stack.functions {
        met.check(function)?;
    }
    if let (Some(websocket), None) = (&stack.websocket, &wired.socket) {
        return Err(HostError::NoCode(websocket.function.clone()));
    }
    Ok(wired)
}

/// The triggers for which there is code, by function.
#[derive(Default)]
struct Triggers {
    http: BTreeSet<&'static str>,
    queues: BTreeSet<(&'static str, &'static str)>,
    schedules: BTreeSet<&'static str>,
    sockets: BTreeSet<&'static str>,
}

impl Triggers {
    /// Every trigger in the template has its code, and the other way round.
    fn check(&self, function: &Function) -> Result<(), HostError> {
        let name = function.name.as_str();
        let http = self.http.contains(name);
        let schedule = self.schedules.contains(name);
        let queues = self.queues.iter().filter(|(of, _)| *of == name).count();
        let socket = self.sockets.contains(name);
        if !http && !schedule && !socket && queues == 0 {
            return Err(HostError::NoCode(function.name.clone()));
        }
        if http == function.routes.is_empty() {
            return Err(disagree(function, "has HTTP routes on one side only"));
        }
        if schedule == function.schedules.is_empty() {
            return Err(disagree(function, "has schedules on one side only"));
        }
        if queues != function.sources.len() {
            return Err(disagree(
                function,
                "receives from a queue for which there is no code",
            ));
        }
        Ok(())
    }
}

fn source(function: &Function, queue: QueueName) -> Result<&Source, HostError> {
    let source = function.sources.iter().find(|source| source.queue == queue);
    source.ok_or_else(|| {
        disagree(
            function,
            format!("does not receive from {} in the template", queue.as_str()),
        )
    })
}

fn consumer(function: &Function, source: &Source, handler: Handler) -> Consumer {
    Consumer {
        function: function.name.clone(),
        handler,
        timeout: function.timeout,
        batch_size: source.batch_size,
        concurrency: source.max_concurrency.unwrap_or(CONCURRENCY),
    }
}

fn disagree(function: &Function, message: impl Into<String>) -> HostError {
    HostError::Disagree {
        function: function.name.clone(),
        message: message.into(),
    }
}
