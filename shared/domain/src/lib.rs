//! The rules of the product and nothing else: no async, no I/O, no clock, no AWS, no HTTP.
//!
//! Every module is a business noun; the same nouns name the modules of `app`.

pub mod automatic;
pub mod campaign;
pub mod chat;
pub mod contact;
pub mod event;
pub mod fold;
pub mod id;
pub mod import;
pub mod language;
pub mod media;
pub mod message;
pub mod pacing;
pub mod phone;
pub mod portfolio;
pub mod price;
pub mod rate;
pub mod realtime;
pub mod search;
pub mod template;
pub mod workspace;
