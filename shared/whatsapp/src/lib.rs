//! Meta's WhatsApp Cloud API: the calls we make, the errors it answers with, and the webhooks it
//! sends.
//!
//! This crate is the only one that knows Meta's JSON. What it hands out is either a type of its
//! own that names no wire field, or a type of `domain`. It keeps no state but a pool of
//! connections, retries nothing, and decides nothing about campaigns or chats: it says what
//! happened ([`SendError`]) and what kind of trouble a code is ([`ErrorClass`]), and the caller
//! acts.

mod client;
mod error;
mod lenient;
mod outbound;
pub mod signature;
mod template;
pub mod webhook;

pub use client::{
    Accepted, AccessToken, Callback, Client, DOWNLOAD_AT_MOST, DownloadError, InvalidBaseUrl, KEPT,
    MediaAddress, Page, PhoneNumber, UPLOAD_AT_MOST, Upload, UploadedMedia,
};
pub use error::{Again, ApiError, ErrorClass, MetaError, STOPPED, SendError, again, class, reason};
pub use outbound::{Action, Content, Interactive, Outbound, TemplateMessage};
