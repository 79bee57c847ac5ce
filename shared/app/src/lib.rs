//! The acts: one function for each thing that a person or a queue asks for.
//!
//! An act knows no transport. HTTP functions and queue functions, on Lambda or in one local process,
//! call the same acts. What acts stand on is in [`App`]; where the outside begins is in [`ports`].

pub mod actor;
pub mod api_key;
pub mod assignment;
pub mod audit;
pub mod automatic;
mod budget;
pub mod campaign;
pub mod canned_reply;
mod cell;
pub mod channel;
pub mod chat;
pub mod clock;
pub mod config;
pub mod contact;
mod due;
pub mod error;
pub mod group;
pub mod idempotency;
pub mod import;
pub mod inbound;
pub mod invitation;
pub mod label;
pub mod limit;
pub mod mail;
pub mod media;
pub mod member;
mod pacer;
mod pack;
pub mod page;
pub mod password;
pub mod ports;
pub mod realtime;
pub mod search;
pub mod secret;
pub mod session;
pub mod store;
pub mod task;
pub mod template;
pub mod user;
pub mod webhook;
pub mod workspace;

use std::sync::Arc;

pub use actor::Actor;
pub use config::Config;
pub use error::Error;

use jiff::{SignedDuration, Timestamp};

use ports::{Clock, Files, Mail, Push, Queue};
use store::Store;

/// Everything that lives as long as the process, cheap to clone. It holds no state of the business
/// beyond caches.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
    /// When the present invocation is cut off, wherever it stands.
    deadline: Timestamp,
}

pub struct Parts {
    pub config: Config,
    pub store: Store,
    pub queue: Arc<dyn Queue>,
    pub files: Arc<dyn Files>,
    pub push: Arc<dyn Push>,
    pub mail: Arc<dyn Mail>,
    pub clock: Arc<dyn Clock>,
    pub whatsapp: whatsapp::Client,
    pub channels: channel::Cache,
    pub addresses: channel::Addresses,
    pub(crate) bodies: webhook::Collector,
    pub realtime: realtime::Memory,
    pub blocks: limit::Blocks,
    pub inboxes: automatic::Cache,
}

impl App {
    /// # Errors
    /// The HTTP client for WhatsApp cannot be built.
    pub fn new(
        config: Config,
        client: aws_sdk_dynamodb::Client,
        queue: Arc<dyn Queue>,
        files: Arc<dyn Files>,
        push: Arc<dyn Push>,
        mail: Arc<dyn Mail>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let whatsapp = whatsapp::Client::new(&config.graph_url, config.graph_timeout)
            .map_err(|error| Error::internal("the WhatsApp client cannot be built", error))?;
        let store = Store::new(client, &config, Arc::clone(&clock));
        let parts = Parts {
            config,
            store,
            queue,
            files,
            push,
            mail,
            clock,
            whatsapp,
            channels: channel::Cache::default(),
            addresses: channel::Addresses::default(),
            bodies: webhook::Collector::default(),
            realtime: realtime::Memory::default(),
            blocks: limit::Blocks::default(),
            inboxes: automatic::Cache::default(),
        };
        Ok(Self {
            parts: Arc::new(parts),
            deadline: Timestamp::MAX,
        })
    }

    /// The same application for one invocation, which is cut off at this instant.
    #[must_use]
    pub fn until(&self, deadline: Timestamp) -> Self {
        Self {
            parts: Arc::clone(&self.parts),
            deadline,
        }
    }

    /// The instant from which on nothing new may be begun that takes up to this long, because the
    /// invocation would be cut off in the middle of it.
    #[must_use]
    pub fn last_start(&self, longest: SignedDuration) -> Timestamp {
        self.deadline.checked_sub(longest).unwrap_or(Timestamp::MIN)
    }

    /// Now, by the clock port.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}
