//! Chats: what one contact and one channel say to each other.

mod item;

pub use item::{Chat, Inbound, Message};
