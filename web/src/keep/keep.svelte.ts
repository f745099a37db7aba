// Keeps what this browser has to know so that the page opens without a server, and opens it from that.
import { clock } from '../api/clock.svelte';
import type { Summary } from '../api/types';
import { board } from '../board/board.svelte';
import { forgetSent } from '../document/database';
import { live } from '../live/live.svelte';
import { session } from '../session.svelte';
import { drain } from './sending';
import { forgetAll, keepState, keepWho, lastHere, stateOf } from './states';

const BOARD = 'board';
const nothing = (): undefined => undefined;

/** For whoever is signed in, until the returned function is called. */
export function follow(person: string): () => void {
  const stop = $effect.root(() => {
    $effect(() => {
      const { me, kept } = session;
      if (!me || kept) return;
      // Nothing of the session: what this browser keeps opens nothing.
      const who = {
        me: { ...$state.snapshot(me), session: null },
        ahead: clock.ahead,
        at: Date.now() + clock.ahead,
      };
      void keepWho(who).catch(nothing);
    });
    $effect(() => {
      const { incidents, asOf } = board;
      if (!incidents || asOf === null || session.kept) return;
      // That a restricted incident exists is for those alone who are invited; this machine's disk is not.
      const open = incidents.filter(({ invited }) => !invited);
      void keepState(person, BOARD, open, asOf).catch(nothing);
    });
    $effect(() => {
      if (live.state !== 'live') return;
      // The stream may have gone on where it stopped in another window: then it says nothing of a gap.
      if (session.kept) void session.look();
      void drain(person).catch(nothing);
    });
  });
  return stop;
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
  await Promise.allSettled([forgetAll({ notes: false }), forgetSent(() => true)]);
}
