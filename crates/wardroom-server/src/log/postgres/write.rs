//! Appending: one call of `wardroom_append` for a whole batch.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use tokio_postgres::{GenericClient, Statement};
use uuid::Uuid;

use super::{ANSWER, Store};
use crate::log::{Append, Hash, LogError, Span, Stream, Tip, chain};

const APPEND: &str = "SELECT wardroom_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
                      $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)";

/// A batch as the parallel arrays that the statement takes.
#[derive(Default)]
struct Arrays<'a> {
    streams: BTreeMap<Stream, (Tip, Tip)>,
    events: Vec<(Stream, u64, &'a crate::log::Draft, Hash)>,
    texts: Vec<(Stream, i64, &'a crate::log::Words)>,
    erased: Vec<(Stream, Hash, i64)>,
    spans: Vec<Vec<Span>>,
    batch: chain::Batch,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("positions stay far below 2^63")
}

impl<'a> Arrays<'a> {
    /// Chains a batch; `Conflict` when it does not even agree with itself.
    fn of(appends: &'a [Append]) -> Result<Self, LogError> {
        let mut all = Self::default();
        for append in appends {
            let mut spans = Vec::with_capacity(append.writes.len());
            for write in &append.writes {
                let stream = write.stream;
                let (_, tip) = all.streams.entry(stream).or_insert((write.expected, write.expected));
                if *tip != write.expected {
                    return Err(LogError::Conflict);
                }
                for draft in &write.drafts {
                    *tip = chain::after(tip, stream, draft);
                    all.batch.add(&tip.hash);
                    all.events.push((stream, tip.seq, draft, tip.hash));
                    let offset = signed(all.events.len() as u64);
                    all.texts.extend(draft.texts.iter().map(|text| (stream, offset, text)));
                }
                let offset = all.events.len() as u64;
                all.erased.extend(write.erase.iter().map(|commitment| (stream, *commitment, signed(offset))));
                spans.push(Span { stream, first: write.expected.seq + 1, last: tip.seq, position: offset });
            }
            all.spans.push(spans);
        }
        Ok(all)
    }
}

fn number(stream: &Stream) -> i64 {
    i64::from(stream.0)
}

impl Store {
    pub(in crate::log) async fn append(&self, appends: Vec<Append>) -> Result<Vec<Vec<Span>>, LogError> {
        if appends.is_empty() {
            return Ok(Vec::new());
        }
        let arrays = Arrays::of(&appends)?;
        let before = self.call(&appends, &arrays).await?;
        let mut spans = arrays.spans;
        spans.iter_mut().flatten().for_each(|span| span.position += before);
        Ok(spans)
    }

    async fn call(&self, appends: &[Append], arrays: &Arrays<'_>) -> Result<u64, LogError> {
        let asking = async {
            let client = self.appending_client().await?;
            let statement = client.prepare_cached(APPEND).await?;
            Ok((client, statement))
        };
        let (client, statement) = self.answered(asking).await?;
        let answer = tokio::time::timeout(ANSWER, ask(&**client, &statement, appends, arrays)).await;
        let Ok(answer) = answer else {
            // What is still under way there must not come before the next append here.
            drop(Object::take(client));
            return Err(LogError::InDoubt("the database does not answer".to_owned()));
        };
        answer.map_err(LogError::after_sending)
    }
}

/// Appends within a transaction that somebody else commits.
pub(in crate::log) async fn append_within(
    transaction: &tokio_postgres::Transaction<'_>,
    appends: &[Append],
) -> Result<(), LogError> {
    let statement = transaction.prepare(APPEND).await?;
    ask(transaction, &statement, appends, &Arrays::of(appends)?).await?;
    Ok(())
}

/// Has a batch appended; answers the position before it.
async fn ask(
    client: &(impl GenericClient + Sync),
    statement: &Statement,
    appends: &[Append],
    arrays: &Arrays<'_>,
) -> Result<u64, tokio_postgres::Error> {
    let Arrays { streams, events, texts, erased, spans, batch } = arrays;
    let tips = |which: fn(&(Tip, Tip)) -> Tip| streams.values().map(which).collect::<Vec<Tip>>();
    let (expected, new) = (tips(|pair| pair.0), tips(|pair| pair.1));
    let before = client
        .query_one(
            statement,
            &[
                &streams.keys().map(number).collect::<Vec<_>>(),
                &expected.iter().map(|tip| signed(tip.seq)).collect::<Vec<_>>(),
                &expected.iter().map(|tip| tip.hash.to_vec()).collect::<Vec<_>>(),
                &new.iter().map(|tip| signed(tip.seq)).collect::<Vec<_>>(),
                &new.iter().map(|tip| tip.hash.to_vec()).collect::<Vec<_>>(),
                &events.iter().map(|(stream, ..)| number(stream)).collect::<Vec<_>>(),
                &events.iter().map(|(_, seq, ..)| signed(*seq)).collect::<Vec<_>>(),
                &events.iter().map(|(_, _, draft, _)| draft.kind.as_ref()).collect::<Vec<_>>(),
                &events.iter().map(|(_, _, draft, _)| i32::from(draft.version)).collect::<Vec<_>>(),
                &events.iter().map(|(_, _, draft, _)| draft.at.as_microsecond()).collect::<Vec<_>>(),
                &events.iter().map(|(_, _, draft, _)| draft.actor.as_str()).collect::<Vec<_>>(),
                &events.iter().map(|(_, _, draft, _)| draft.body.as_str()).collect::<Vec<_>>(),
                &events.iter().map(|(.., hash)| hash.to_vec()).collect::<Vec<_>>(),
                &texts.iter().map(|(stream, ..)| number(stream)).collect::<Vec<_>>(),
                &texts.iter().map(|(.., text)| text.commitment.to_vec()).collect::<Vec<_>>(),
                &texts.iter().map(|(_, offset, _)| *offset).collect::<Vec<_>>(),
                &texts.iter().map(|(.., text)| text.salt.to_vec()).collect::<Vec<_>>(),
                &texts.iter().map(|(.., text)| text.words.as_str()).collect::<Vec<_>>(),
                &erased.iter().map(|(stream, ..)| number(stream)).collect::<Vec<_>>(),
                &erased.iter().map(|(_, commitment, _)| commitment.to_vec()).collect::<Vec<_>>(),
                &erased.iter().map(|(.., offset)| *offset).collect::<Vec<_>>(),
                &appends.iter().map(|append| append.request.actor.as_str()).collect::<Vec<_>>(),
                &appends.iter().map(|append| append.request.id).collect::<Vec<Uuid>>(),
                &appends.iter().map(|append| append.request.digest.to_vec()).collect::<Vec<_>>(),
                &spans.iter().map(|s| serde_json::to_string(s).expect("spans are plain data")).collect::<Vec<_>>(),
                &batch.digest().to_vec(),
            ],
        )
        .await?;
    Ok(before.get::<_, i64>(0).unsigned_abs())
}
