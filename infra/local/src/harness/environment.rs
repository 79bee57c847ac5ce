//! What the environment says to the programs that drive an instance. They read it here only.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;

/// A variable that is set to nothing is not set.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where these programs read the environment"
)]
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A number, or the usual one when the variable is not set.
///
/// # Errors
/// It is set to something else.
pub fn number<T>(name: &str, usual: T) -> anyhow::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match variable(name) {
        Some(text) => text
            .parse()
            .with_context(|| format!("{name} cannot be {text}")),
        None => Ok(usual),
    }
}

/// The folder for what a program leaves behind, beside the builds.
#[must_use]
pub fn output(program: &str) -> PathBuf {
    let target = variable("CARGO_TARGET_DIR").unwrap_or_else(|| "target".to_owned());
    PathBuf::from(target).join(program)
}
