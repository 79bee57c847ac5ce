//! What the environment says to the demo.

use std::path::PathBuf;

use local::harness::environment::{output, variable};

pub(crate) struct Settings {
    /// The running instance to use; without one the demo starts its own.
    pub(crate) url: Option<String>,
    pub(crate) api_key: Option<String>,
    /// The data folder of the running instance.
    pub(crate) data: PathBuf,
    pub(crate) contacts: Option<PathBuf>,
    /// Where the report and the log of the demo's own instance go.
    pub(crate) output: PathBuf,
}

impl Settings {
    pub(crate) fn read() -> Self {
        Self {
            url: variable("BLAZZ_URL").map(|url| url.trim_end_matches('/').to_owned()),
            api_key: variable("BLAZZ_API_KEY"),
            data: variable("BLAZZ_DATA")
                .unwrap_or_else(|| ".blazz".to_owned())
                .into(),
            contacts: variable("BLAZZ_DEMO_CONTACTS").map(PathBuf::from),
            output: output("demo"),
        }
    }
}
