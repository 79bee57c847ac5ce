//! The local process: every function of the template, with a database, queues, files and a simulated
//! WhatsApp, and nothing to install. The binary `blazz` starts it; tests use its parts. `harness` drives
//! such a process from outside.

pub mod contract;
mod data_folder;
mod development;
pub mod dynamo;
pub mod files;
mod gauge;
pub mod harness;
pub mod host;
pub mod mailbox;
pub mod process;
pub mod queue;
pub mod replay;
mod report;
pub mod seed;
pub mod settings;
mod simulated;
pub mod template;
mod web;
