// Keeps what this browser has to know so that the page opens without a server, and opens it from that.
import { clock } from '../api/clock.svelte';
import type { Summary } from '../api/types';
import { board } from '../board/board.svelte';
import { forgetSent } from '../document/database';
import { live } from '../live/live.svelte';
import { session } from '../session.svelte';
import { lookAgain } from './incidents';
import { drain } from './sending';
import { forgetAll, keepState, keepWho, lastHere, stateOf } from './states';

const BOARD = 'board';
const nothing = (): undefined => undefined;

/** Whom this window has been for. */
let followed: string | null = null;

/** For whoever is signed in, until the returned function is called. */
export function follow(person: string): () => void {
  // Whoever was here before left their board, their rooms and their words in this window's memory: it begins anew, so
  // that nothing of theirs is shown to somebody else, kept for them, or sent as theirs.
  if (followed !== null && followed !== person) {
    void keepReader()
      .catch(nothing)
      .then(() => location.reload());
    return nothing;
  }
  followed = person;
  /** What was open when the board was received last, and is not restricted. */
  let shown: number[] = [];
  const stop = $effect.root(() => {
    $effect(() => {
      void keepReader().catch(nothing);
    });
    $effect(() => {
      const { incidents, asOf } = board;
      if (!incidents || asOf === null || session.kept) return;
      // That a restricted incident exists is for those alone who are invited; this machine's disk is not.
      const open = incidents.filter(({ invited }) => !invited);
      void keepState(person, BOARD, open, asOf).catch(nothing);
      const gone = shown.some((number) => !open.some((one) => one.number === number));
      shown = open.map(({ number }) => number);
      if (gone) void lookAgain(person).catch(nothing);
    });
    $effect(() => {
      if (live.state !== 'live') return;
      // The stream may have gone on where it stopped in another window: then it says nothing of a gap.
      if (session.kept) void session.look();
      void drain(person).catch(nothing);
      void lookAgain(person).catch(nothing);
    });
  });
  return stop;
}

/** The reader is who the server says. Nothing of the session is kept: what is on this disk opens nothing. */
async function keepReader(): Promise<void> {
  const { me, kept } = session;
  if (!me || kept) return;
  const { ahead } = clock;
  await keepWho({ me: { ...$state.snapshot(me), session: null }, ahead, at: Date.now() + ahead });
}

/** The server is out of reach: the page opens for whoever was here last, with what was known last. */
export async function reopen(): Promise<void> {
  const who = await lastHere().catch(nothing);
  if (!who || session.me !== undefined) return;
  clock.believe(who.ahead);
  session.kept = true;
  session.me = who.me;
  const known = await stateOf<Summary[]>(who.me.person.id, BOARD, clock.now.getTime()).catch(nothing);
  if (!known || board.incidents) return;
  board.incidents = known.what;
  board.asOf = known.at;
}

/** The server says that nobody is signed in here: what was known goes, and words that only this browser has stay. */
export async function ended(): Promise<void> {
  // Whoever signs in next sees nothing of it, not for a moment.
  Object.assign(board, { incidents: undefined, next: undefined, ended: undefined, asOf: null });
  await Promise.allSettled([forgetAll({ notes: false }), forgetSent(() => true)]);
}
