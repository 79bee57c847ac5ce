//! What `demo`, `chaos` and `bench` share: an instance of the platform as a process of its own, its
//! API, the simulated WhatsApp that outlives it, and what both sides counted.
//!
//! It knows the platform only from outside: nothing here calls an act or reads a table, so what it
//! finds out is a second witness.

pub mod access;
pub mod api;
pub mod books;
pub mod campaign;
pub mod check;
pub mod control;
pub mod environment;
pub mod figures;
pub mod import;
pub mod instance;
pub mod kills;
pub mod live;
pub mod people;
pub mod screen;
pub mod tenant;
pub mod witness;
pub mod world;

pub use access::Access;
pub use api::Api;
pub use check::Check;
pub use control::Control;
pub use instance::{Instance, Launch};
pub use live::Live;
pub use screen::Screen;
pub use world::World;
