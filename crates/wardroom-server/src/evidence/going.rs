//! Takes out of the store what nobody has any more: after the log has let go of it, and again until it is done.

use std::time::Duration;

use super::Keep;
use crate::log::{Log, LogError};
use crate::watch::Watch;

/// How long what goes on in the log is left to gather before it is looked whether something is to go.
const REST: Duration = Duration::from_secs(1);
/// How long at the most until it is looked again: what no event took goes without the log telling of it.
const LOOK: Duration = Duration::from_secs(60);
/// The same, after the store could not.
const AGAIN: Duration = Duration::from_secs(30);
/// Objects that are taken out between two looks.
const AT_ONCE: u16 = 100;

/// Starts taking out what goes.
pub(crate) fn start(log: Log, keep: Keep, watch: &Watch) {
    if !keep.is_somewhere() {
        return;
    }
    let mut news = watch.subscribe();
    tokio::spawn(async move {
        // Before an incident needs it.
        if let Err(error) = keep.store().await {
            tracing::error!(%error, "no evidence can be kept or read; everything else goes on");
        }
        loop {
            match keep.take_out_what_goes(&log).await {
                Ok(taken) if taken == usize::from(AT_ONCE) => continue,
                Ok(_) => {
                    tokio::time::sleep(REST).await;
                    // Whatever came since the last look is told at once.
                    if let Ok(Err(_)) = tokio::time::timeout(LOOK, news.changed()).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "evidence that was redacted still lies in its store; trying again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    });
}

impl Keep {
    /// Takes out what is to go now, at most a hundred, and says how many that was. A name is forgotten last: whatever cuts
    /// this off, it is done again.
    ///
    /// # Errors
    /// [`LogError::Unavailable`], [`LogError::NoStore`].
    pub async fn take_out_what_goes(&self, log: &Log) -> Result<usize, LogError> {
        let going = log.objects_going(AT_ONCE).await?;
        for object in &going {
            self.take_out(object).await?;
            log.object_gone(object).await?;
        }
        Ok(going.len())
    }
}
