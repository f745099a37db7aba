//! Takes out of the store what nobody has any more: after the log has let go of it, and again until it is done.

use std::time::Duration;

use super::Keep;
use crate::log::{Log, LogError};

/// How often is looked whether something is to go.
const EVERY: Duration = Duration::from_secs(1);
/// The same, after the store could not.
const AGAIN: Duration = Duration::from_secs(30);
/// Objects that are taken out between two looks.
const AT_ONCE: u16 = 100;

/// Starts taking out what goes.
pub(crate) fn start(log: Log, keep: Keep) {
    if !keep.is_somewhere() {
        return;
    }
    tokio::spawn(async move {
        loop {
            let pause = match keep.take_out_what_goes(&log).await {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "evidence that was redacted still lies in its store; trying again");
                    AGAIN
                }
            };
            tokio::time::sleep(pause).await;
        }
    });
}

impl Keep {
    /// Takes out what is to go now, at most a hundred. Its name is forgotten last: whatever cuts this off, it is done again.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], [`LogError::NoStore`].
    pub async fn take_out_what_goes(&self, log: &Log) -> Result<(), LogError> {
        for object in log.objects_going(AT_ONCE).await? {
            self.take_out(&object).await?;
            log.object_gone(&object).await?;
        }
        Ok(())
    }
}
