//! What a workspace says by itself: that somebody opted out, and answers to keywords, to whoever writes for
//! the first time, and while nobody is there. [`settings`] are its settings, [`edit`] changes them, and
//! [`reply`] answers a message.

mod edit;
mod reply;
mod settings;

pub use edit::{
    AnswerPatch, NewAnswer, answers, create, delete, get, hours, opt_out, set_hours, set_opt_out,
    update,
};
pub(crate) use edit::{assignment, set_assignment};
pub(crate) use reply::{Asked, answer};
pub use settings::Cache;
pub(crate) use settings::of;
