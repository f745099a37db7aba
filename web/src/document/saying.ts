// How it stands with what was written, in plain words. "Saved" is said of what the server has on disk, and of nothing
// else.
import { CLOSED, type Standing } from './provider';

/** Whether this browser keeps what is written, until it is sent. */
export type Keeping =
  | 'opening'
  | 'kept'
  /** It is forbidden, or there is no such thing here. */
  | 'forbidden'
  /** It went wrong while something was being kept: there may be no more room. */
  | 'full';

export interface Saying {
  words: string;
  /** How loud: in passing, to be minded, or wrong. */
  tone: 'quiet' | 'mind' | 'wrong';
  /** What can be done about it. */
  remedy: 'again' | 'anew' | 'copy' | null;
}

const quiet = (words: string): Saying => ({ words, tone: 'quiet', remedy: null });

/** Where words are that the server does not have. */
function whereabouts(keeping: Keeping): string {
  if (keeping === 'kept') return 'What you wrote is kept in this browser';
  return 'This browser keeps nothing, so leave this window open: what you wrote stands only here';
}

export function saying(
  { link, saved, may, why, full, ended }: Standing,
  keeping: Keeping,
  slow: boolean,
  unread = false,
  /** The room has said already that there is no connection, and what becomes of what is written: here is the rest. */
  known = false,
): Saying {
  if (ended !== null) return end(ended, saved, keeping);
  if (link === 'connecting') return quiet(saved ? 'opening…' : `opening… ${whereabouts(keeping)}`);
  if (link === 'away' && unread)
    return {
      words: `${known ? 'This' : 'Not connected, and this'} browser has not read this document yet, so its words are missing here. ${saved ? 'What you write is joined to them' : `${whereabouts(keeping)}, and is joined to them`} when the connection is back.`,
      tone: 'mind',
      remedy: null,
    };
  if (link === 'away' && known && keeping === 'kept')
    return quiet(saved ? 'not connected' : 'not sent; kept in this browser');
  if (link === 'away') {
    const lead = known ? '' : 'Not connected. ';
    if (!saved)
      return {
        words: `${lead}${whereabouts(keeping)}, and is sent when the connection is back.`,
        tone: 'mind',
        remedy: null,
      };
    const then =
      keeping === 'kept'
        ? 'What you write meanwhile is kept in this browser, and sent then.'
        : 'This browser keeps nothing: what you write meanwhile stands only in this window.';
    return { words: `${lead}${then}`, tone: 'mind', remedy: null };
  }
  if (!saved && may === false)
    return {
      words: `Not saved. ${why} ${whereabouts(keeping)}: copy what you need of it.`,
      tone: 'wrong',
      remedy: 'anew',
    };
  if (!saved && full)
    return {
      words: `Not saved. ${full} Shorten it, and the rest is sent. ${whereabouts(keeping)}.`,
      tone: 'wrong',
      remedy: 'copy',
    };
  if (!saved) return quiet(slow ? `not saved yet. ${whereabouts(keeping)}` : 'saving…');
  if (keeping === 'full')
    return {
      words:
        'Saved. This browser has no more room: without a connection, what you write stands only in this window.',
      tone: 'mind',
      remedy: null,
    };
  if (may === false) return quiet(why ? `You read along. ${why}` : 'you read along');
  return quiet(
    keeping === 'forbidden' ? 'saved; this browser keeps nothing for when the connection is gone' : 'saved',
  );
}

function end({ code, reason }: { code: number; reason: string }, saved: boolean, keeping: Keeping): Saying {
  const kept = saved ? '' : ` ${whereabouts(keeping)}.`;
  if (code === CLOSED.signedOut)
    return { words: `You are signed out. Sign in again to go on.${kept}`, tone: 'wrong', remedy: 'again' };
  if (code === CLOSED.notYours)
    return {
      words: `${reason || 'You may not see this document any more.'}${kept}`,
      tone: 'wrong',
      remedy: 'again',
    };
  if (code === CLOSED.restored)
    return {
      words: `The server was restored from a backup. Open the document again: nothing is mixed into it.${kept}`,
      tone: 'wrong',
      remedy: 'copy',
    };
  return {
    words: `${reason || 'The server does not take what this window sends.'} Nothing more is sent from here.${kept}`,
    tone: 'wrong',
    remedy: saved ? 'again' : 'anew',
  };
}

/** The word beside a part that one wrote in; `saved` is said of this part. */
export function ofPart(saved: boolean, { link, may }: Standing, keeping: Keeping): string {
  if (saved) return link === 'live' ? 'saved' : '';
  if (link === 'live' && may !== false) return 'not saved yet';
  return keeping === 'kept' ? 'not sent, kept here' : 'not sent';
}
