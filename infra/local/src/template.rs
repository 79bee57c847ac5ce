//! What the template says about the local process: tables, queues, functions with their triggers.
//!
//! It is not a CloudFormation engine. It knows the few resource types, tags and properties that mean
//! something here, and a short list of types that mean nothing here. Everything else is an error
//! that names it, so that nothing can be added to the template and silently be missing locally.

mod function;
mod intrinsic;
mod resource;
mod websocket;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use app::config::{Queues, Tables, queue_variable};
use app::task::QueueName;

/// The template that is deployed, as it was when this program was built.
pub const EMBEDDED: &str = include_str!("../../template.yaml");

/// Everything in the template that the local process has to be.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    pub tables: Vec<Table>,
    pub queues: Vec<Queue>,
    pub buckets: Vec<String>,
    pub functions: Vec<Function>,
    pub websocket: Option<Websocket>,
}

/// A table, named by its logical id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// The properties as CreateTable takes them.
    pub attributes: serde_json::Value,
    pub key_schema: serde_json::Value,
    pub indexes: Option<serde_json::Value>,
    /// The attribute that holds an item's expiry.
    pub ttl: Option<String>,
}

/// A queue that functions send to and receive from. Its dead-letter queue is a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub id: String,
    pub name: QueueName,
    pub fifo: bool,
    pub visibility: Duration,
    pub delay: Duration,
    pub max_receive: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub id: String,
    /// The crate and binary, from `CodeUri`.
    pub name: String,
    pub timeout: Duration,
    /// It is charged by the second, and sets how much processor the function gets.
    pub memory_mb: u64,
    pub environment: BTreeMap<String, String>,
    pub sources: Vec<Source>,
    pub routes: Vec<Route>,
    pub schedules: Vec<Duration>,
}

/// A queue that feeds a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub queue: QueueName,
    pub batch_size: usize,
    /// How many invocations may run at a time. AWS sets no limit when the template gives none.
    pub max_concurrency: Option<usize>,
}

/// `ANY /v1/contacts/{proxy+}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `None` is any method.
    pub method: Option<String>,
    pub path: String,
    /// Whether the path is the beginning of what is served, and not the whole.
    pub prefix: bool,
}

/// Where websockets are opened, and the function that hears of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Websocket {
    pub path: String,
    /// By its name.
    pub function: String,
}

/// Why a template cannot be run locally. Each names the place.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("the template is not YAML: {0}")]
    Syntax(String),
    #[error("{place}: the tag or function {name} is not known here")]
    UnknownIntrinsic { place: String, name: String },
    #[error("{resource}: resources of type {kind} are not known here")]
    UnknownType { resource: String, kind: String },
    #[error("{place}: the property {property} is not known here")]
    UnknownProperty { place: String, property: String },
    #[error("{place}: {message}")]
    Invalid { place: String, message: String },
}

impl TemplateError {
    fn invalid(place: &str, message: impl Into<String>) -> Self {
        Self::Invalid {
            place: place.to_owned(),
            message: message.into(),
        }
    }
}

impl Stack {
    /// The embedded template. Its parameters are secrets and addresses of which the local process
    /// has its own, so it needs none of their values.
    ///
    /// # Errors
    /// The template holds something that is not known here.
    pub fn embedded() -> Result<Self, TemplateError> {
        let own = "set by the local process";
        let parameters = [
            ("PublicUrl", own),
            ("AppSecrets", own),
            ("VerifyToken", own),
            ("MasterKey", own),
            ("MailFrom", own),
        ];
        Self::read(EMBEDDED, &parameters)
    }

    /// Reads a template with the values of its parameters.
    ///
    /// # Errors
    /// The template holds something that is not known here.
    pub fn read(text: &str, parameters: &[(&str, &str)]) -> Result<Self, TemplateError> {
        let document = yaml::load(text)?;
        let scope = intrinsic::Scope::new(&document, parameters)?;
        resource::stack(&document, &scope)
    }

    #[must_use]
    pub fn queue(&self, name: QueueName) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.name == name)
    }

    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The names under which functions know the tables.
    ///
    /// # Errors
    /// No function is given one of the tables.
    pub fn table_names(&self) -> Result<Tables, TemplateError> {
        Ok(Tables {
            main: self.variable("TABLE_MAIN")?,
            contacts: self.variable("TABLE_CONTACTS")?,
            campaigns: self.variable("TABLE_CAMPAIGNS")?,
            chats: self.variable("TABLE_CHATS")?,
            search: self.variable("TABLE_SEARCH")?,
            ephemeral: self.variable("TABLE_EPHEMERAL")?,
        })
    }

    /// The addresses under which functions know the queues. Locally an address is a logical id.
    #[must_use]
    pub fn queue_names(&self) -> Queues {
        Queues(
            self.queues
                .iter()
                .map(|queue| (queue.name, queue.id.clone()))
                .collect(),
        )
    }

    /// Where browsers open websockets, when they reach the process under this address.
    #[must_use]
    pub fn realtime_url(&self, public_url: &str) -> String {
        let path = self.websocket.as_ref().map_or("", |own| own.path.as_str());
        format!("{}{path}", public_url.replacen("http", "ws", 1))
    }

    /// The value that every function which has the variable is given.
    ///
    /// # Errors
    /// No function has it, or two functions are given different values.
    pub fn variable(&self, name: &str) -> Result<String, TemplateError> {
        variable(&self.functions, name)?.ok_or_else(|| {
            TemplateError::invalid("Functions", format!("none is given the variable {name}"))
        })
    }
}

/// The queue's name in the code is the variable that holds its address in the template.
fn name_of_queue(functions: &[Function], id: &str) -> Result<Option<QueueName>, TemplateError> {
    for name in QueueName::ALL {
        if variable(functions, &queue_variable(name))?.as_deref() == Some(id) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn variable(functions: &[Function], name: &str) -> Result<Option<String>, TemplateError> {
    let mut found: Option<(&str, &str)> = None;
    for function in functions {
        let Some(value) = function.environment.get(name) else {
            continue;
        };
        match found {
            Some((other, first)) if first != value => {
                let message = format!("{name} differs between {other} and {}", function.id);
                return Err(TemplateError::invalid("Functions", message));
            }
            _ => found = Some((&function.id, value)),
        }
    }
    Ok(found.map(|(_, value)| value.to_owned()))
}
