//! W8: a server starts, and rests.

use std::{fs, time::Duration};

use tokio::time::sleep;

use crate::{
    Failure,
    target::{Kind, Programs, Target},
};

/// What it takes to be there.
pub struct Start {
    /// From being called to listening, in milliseconds.
    pub took: f64,
    /// Memory at rest, in MB.
    pub memory: f64,
}

/// Starts a server, and looks at it when it has come to rest.
pub async fn start(kind: Kind, programs: &Programs) -> Result<Start, Failure> {
    let target = Target::start(kind, programs).await?;
    sleep(Duration::from_secs(2)).await;
    let memory = target.process.memory()? as f64 / 1e6;
    Ok(Start { took: target.start.as_secs_f64() * 1e3, memory })
}

/// Size of the program, in MB.
pub fn size(programs: &Programs) -> Result<f64, Failure> {
    Ok(fs::metadata(&programs.huechat)?.len() as f64 / 1e6)
}
