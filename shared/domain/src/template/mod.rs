//! Message templates: what Meta approved, where its variables stand, who fills them, and how the
//! result reads.
//!
//! A [`Template`] is our picture of one approved translation. It is stored, and frozen into a
//! campaign, so that a later edit at Meta does not move what was planned. A [`Mapping`] says
//! where each variable's value comes from; filled for one person it becomes [`Values`], which
//! are all that a recipient's row has to keep. What is the same for everybody, a picture at the top
//! above all, is the [`HeaderContent`]. [`render`] shows the outcome to our own people; what goes
//! over the wire is built elsewhere, from the same three things.
//!
//! This module does not create or edit templates at Meta and knows none of its JSON.

mod fill;
mod header;
mod link;
mod mapping;
mod placeholder;
mod render;
mod sendable;
mod slot;
mod takes;
mod words;

use serde::{Deserialize, Serialize};

pub(crate) use fill::clean;
pub use fill::{Person, Unfillable, Values};
pub use header::{HeaderContent, HeaderFile, HeaderInput, MediaSource, Place};
pub use link::{BadLink, MediaLink};
pub use mapping::{ContactField, Mapping, MappingError, Source};
pub use render::{Rendered, RenderedButton, RenderedHeader, render};
pub use sendable::{NotSendable, sendable};
pub use slot::{Key, NotASlot, Slot};
pub use takes::Misfit;
pub use words::{ParameterFormat, TemplateCategory, TemplateStatus};

/// The most characters a template's body may have once its variables are filled (Meta: template
/// components, body).
pub const BODY_LIMIT: usize = 1024;

/// The most characters of a header's text, filled (Meta: template components, header).
pub const HEADER_LIMIT: usize = 60;

/// One translation of one template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub id: String,
    pub name: String,
    /// Meta's own spelling, such as `en_US`. It is data: the list of languages grows.
    pub language: String,
    pub status: TemplateStatus,
    pub category: TemplateCategory,
    pub parameter_format: ParameterFormat,
    pub components: Components,
    /// `green`, `yellow`, `red` or `unknown`, as Meta rates the last seven days.
    pub quality: Option<String>,
    /// The values Meta approved it with, for previews and test messages.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub examples: Values,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Components {
    pub header: Option<Header>,
    pub body: String,
    pub footer: Option<String>,
    /// In Meta's order: a button is addressed by its position among all of them.
    pub buttons: Vec<Button>,
    /// Kinds of component we cannot send yet, such as `carousel`.
    pub unsupported: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Header {
    Text { text: String },
    Image,
    Video,
    Document,
    Location,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Button {
    Url {
        text: String,
        url: String,
    },
    QuickReply {
        text: String,
    },
    PhoneNumber {
        text: String,
        phone_number: String,
    },
    /// The label is fixed by WhatsApp in the reader's language; Meta may report one.
    CopyCode {
        text: Option<String>,
    },
    Other {
        kind: String,
        text: String,
    },
}

#[cfg(test)]
mod tests;
