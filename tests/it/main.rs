//! The integration suite: one binary that runs the whole application in process.
