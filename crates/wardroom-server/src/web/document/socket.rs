//! A state document's socket while it is open.
//!
//! Three things go on beside each other: what waits is sent, what comes is heard, and whoever holds the socket is looked
//! at again, with every entry of the log and once a second. Whoever is signed out, or may not see the incident any more,
//! is closed at once, however little they take of what is sent and however much they send.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::sync::{Notify, watch};
use tokio::task::coop::unconstrained;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use wardroom_core::id::Number;
use wardroom_core::token::Scope;

use super::Asked;
use crate::document::Place;
use crate::document::close::Close;
use crate::document::limits::ANSWER_MAX;
use crate::document::seat::{Guest, Outbox, boxes};
use crate::document::wire;
use crate::server::Server;
use crate::web::who::Reader;

/// How often a socket looks whether its reader is still signed in, and may still see the incident; and how long finding
/// that out may take.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked whether anything was said meanwhile: clients give up on a server of which they hear nothing for
/// half a minute, and this is at most twice as long.
const SILENCE: Duration = Duration::from_secs(10);
/// What is read at once, in bytes. All of it is cleared before each read, so a large one costs more than what is read.
const READ: usize = 8 << 10;
/// What a message may have beside its update, in bytes.
const AROUND: usize = 64;
/// How long it may take until the reason for closing is sent: whoever takes nothing is cut off without one.
const LAST_WORD: Duration = Duration::from_millis(400);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(3);
/// How much of what is still on its way is taken while saying goodbye, in bytes: closed before, its sender might never
/// read why.
const ON_ITS_WAY: u64 = 256 << 20;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Holds a socket until one side ends it.
pub(super) async fn hold(server: Server, reader: Reader, number: Number, asked: Asked, upgraded: Upgraded) {
    let most = ANSWER_MAX + AROUND;
    let config =
        WebSocketConfig::default().max_message_size(Some(most)).max_frame_size(Some(most)).read_buffer_size(READ);
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    if let Some(why) = asked.refused {
        return goodbye(socket, &why).await;
    }
    let (mut sink, mut stream) = socket.split();
    let (inbox, outbox) = boxes();
    let guest = Guest { person: reader.person, acts: reader.scope >= Scope::Respond, ours: asked.ours };
    let end = match server.documents.join(number, guest, inbox).await {
        None => End::Here(Close::too_many()),
        Some(place) => {
            let guard = Guard { server, reader, number, closing: outbox.closing.clone() };
            talk(guard, place, outbox, &mut sink, &mut stream).await
        }
    };
    let Ok(mut socket) = sink.reunite(stream) else { return };
    match end {
        End::Here(why) => goodbye(socket, &why).await,
        End::There => drop(timeout(LAST_WORD, socket.flush()).await),
        End::Broken => {}
    }
}

/// How a socket comes to its end.
enum End {
    /// This side closes it.
    Here(Close),
    /// The other side does.
    There,
    /// Nothing can be said over it any more.
    Broken,
}

/// Passes on what is said until one side ends it.
///
/// Each part is looked at when there is something for it, and not with every word that is sent: where fifty people write,
/// that is most of a socket's work.
async fn talk(
    guard: Guard,
    place: Place,
    mut outbox: Outbox,
    sink: &mut SplitSink<Socket, Message>,
    stream: &mut SplitStream<Socket>,
) -> End {
    let (pinged, closing) = (Notify::new(), outbox.closing.clone());
    let sends = sends(&mut outbox, sink, &pinged);
    let sends = sends.map(|sent| sent.map_or(End::Broken, |()| End::Here(Close::stopping())));
    let end = first(guard.ends(), sends.boxed(), hears(&place, stream, &pinged).boxed()).await;
    // A room says why before it lets go, which another part may see first.
    closing.borrow().clone().map_or(end, End::Here)
}

/// The end that comes first.
async fn first<'a>(
    ends: impl Future<Output = Close> + Send + 'a,
    sends: BoxFuture<'a, End>,
    hears: BoxFuture<'a, End>,
) -> End {
    // What comes without end uses up what this task may do at a time, and so would have the end wait.
    let ends = unconstrained(ends).map(End::Here);
    let parts: [BoxFuture<'a, End>; 3] = [ends.boxed(), sends, hears];
    FuturesUnordered::from_iter(parts).next().await.unwrap_or(End::Broken)
}

/// Sends what waits, and now and then a sign of life.
async fn sends(outbox: &mut Outbox, sink: &mut SplitSink<Socket, Message>, pinged: &Notify) -> Result<(), Error> {
    let mut silence = interval(SILENCE);
    silence.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent = false; // Since the last tick. The first one is at once.
    loop {
        let mut next = tokio::select! {
            message = outbox.next() => match message {
                Some(message) => Some(message),
                None => return Ok(()),
            },
            () = pinged.notified() => None, // Its answer waits to be sent.
            _ = silence.tick() => {
                if !std::mem::replace(&mut silent, true) {
                    continue;
                }
                Some(wire::present([].iter()).into())
            }
        };
        // What waits together goes in one write.
        while let Some(message) = next {
            silent = false;
            sink.feed(Message::Binary(message)).await?;
            next = outbox.ready();
        }
        sink.flush().await?;
    }
}

/// Passes on what comes, no faster than the room takes it.
async fn hears(place: &Place, stream: &mut SplitStream<Socket>, pinged: &Notify) -> End {
    while let Some(heard) = stream.next().await {
        match heard {
            Ok(Message::Binary(message)) => {
                if !place.say(message).await {
                    return End::Here(Close::stopping());
                }
            }
            Ok(Message::Text(_)) => return End::Here(Close::malformed("it is text, and they are binary")),
            Ok(Message::Ping(_)) => pinged.notify_one(),
            Ok(Message::Pong(_) | Message::Frame(_)) => {}
            Ok(Message::Close(_)) => return End::There,
            Err(Error::Capacity(_)) => return End::Here(Close::too_large("This message is larger than 4 MiB.")),
            Err(Error::Protocol(_) | Error::Utf8(_)) => return End::Here(Close::malformed("it is no WebSocket's")),
            Err(_) => return End::Broken,
        }
    }
    End::Broken
}

/// Says why, and takes what was on its way until the other side closes as well.
async fn goodbye(mut socket: Socket, why: &Close) {
    let reason = why.reason.as_str().into();
    let last = socket.send(Message::Close(Some(CloseFrame { code: CloseCode::from(why.code), reason })));
    if let Ok(Ok(())) = timeout(LAST_WORD, last).await {
        let mut rest = socket.get_mut().take(ON_ITS_WAY);
        let _ = timeout(GOODBYE, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    }
}

/// Whoever looks whether a socket may stay open.
struct Guard {
    server: Server,
    reader: Reader,
    number: Number,
    closing: watch::Receiver<Option<Close>>,
}

impl Guard {
    /// Waits until it may not.
    async fn ends(mut self) -> Close {
        let (mut closing, mut stopping) = (self.closing.clone(), self.server.stopping.clone());
        tokio::select! {
            biased;
            why = closing.wait_for(Option::is_some) => why.ok().and_then(|why| why.clone()).unwrap_or_else(Close::stopping),
            _ = stopping.wait_for(|stop| *stop) => Close::stopping(),
            why = self.is_shown_out() => why,
        }
    }

    async fn is_shown_out(&mut self) -> Close {
        let mut news = self.server.watch.subscribe();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Ok(()) = news.changed() => {}
                _ = look.tick() => {}
            }
            if let Some(why) = self.look().await {
                return why;
            }
        }
    }

    /// Whether they may still be here. What cannot be found out is answered with no.
    async fn look(&mut self) -> Option<Close> {
        if !self.reader.still_signed_in(&self.server.streams.directory().directory) {
            return Some(Close::signed_out());
        }
        match timeout(LOOK, self.server.streams.incident(self.number)).await {
            Ok(Ok(Some(held))) if held.incident.visible_to(self.reader.person, &self.reader.facts) => None,
            Ok(Ok(_)) => Some(Close::not_yours()),
            Ok(Err(_)) | Err(_) => Some(Close::not_known()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::coop::consume_budget;

    use super::*;

    async fn heard_without_end() -> End {
        loop {
            consume_budget().await;
        }
    }

    #[tokio::test]
    async fn what_comes_without_end_does_not_have_the_end_wait() {
        let (close, mut closing) = watch::channel(false);
        let ends = async move {
            let _ = closing.wait_for(|close| *close).await;
            Close::stopping()
        };
        let end = tokio::spawn(first(ends, std::future::pending().boxed(), heard_without_end().boxed()));
        tokio::task::yield_now().await;
        close.send(true).unwrap();
        assert!(matches!(timeout(LOOK, end).await.unwrap().unwrap(), End::Here(_)));
    }
}
