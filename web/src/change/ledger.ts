// The ledger of changes as the page shows it: in which order, in which words. What differs and what the reader may do, the
// server says.
import type { Change, ChangeAct, ChangeState, Differing } from '../api/changes';
import type { Entry } from '../api/types';
import { evidenceOf } from '../incident/timeline';

/** What is pressed first, as a button of its own; the rest is behind the dots. */
const FIRST: Record<'announced' | 'uncoordinated' | 'done', ChangeAct[]> = {
  announced: ['done', 'failed', 'drop'],
  uncoordinated: ['take_in', 'revert', 'dismiss'],
  done: ['revert'],
};

const NAMES: Record<ChangeAct, string> = {
  done: 'It is done',
  failed: 'It failed',
  drop: 'Not made',
  correct: 'Correct it…',
  say_way_back: 'Say how to undo it…',
  revert: 'It is reverted',
  adopt: 'Keep it for good…',
  hand_on: 'Hand it to a bug…',
  differs_again: 'It differs after all',
  take_in: 'Take it in',
  dismiss: 'Dismiss it',
};

/** What is read aloud once it is done. */
const SPOKEN: Record<ChangeAct, string> = {
  done: 'Done',
  failed: 'Failed',
  drop: 'Not made',
  correct: 'Corrected',
  say_way_back: 'How to undo it is written down',
  revert: 'Reverted',
  adopt: 'Kept for good',
  hand_on: 'Handed to a bug',
  differs_again: 'Differs after all',
  take_in: 'Taken in',
  dismiss: 'Dismissed',
};

/** What is read aloud once something was done with a change. */
export function spoken({ service, what }: Change, act: ChangeAct): string {
  return `${SPOKEN[act]}: ${service}, ${what ?? '(redacted)'}.`;
}

export interface Button {
  act: ChangeAct;
  name: string;
}

/** What its reader may do with a change: what comes first, and what is behind the dots. */
export function buttons({ state, coordination, may }: Change): { first: Button[]; further: Button[] } {
  const kind = coordination === 'uncoordinated' ? 'uncoordinated' : state;
  const first = kind === 'announced' || kind === 'uncoordinated' || kind === 'done' ? FIRST[kind] : [];
  const named = (act: ChangeAct): Button => ({ act, name: NAMES[act] });
  return {
    first: first.filter((act) => may.includes(act)).map(named),
    further: may.filter((act) => !first.includes(act)).map(named),
  };
}

/** What is asked of the server. */
export function asked(
  { id }: Change,
  act: ChangeAct,
  more: Record<string, unknown> = {},
): { command: string; [field: string]: unknown } {
  const outcome = { done: 'done', failed: 'failed', drop: 'dropped' }[act as 'done' | 'failed' | 'drop'];
  if (outcome) return { command: 'confirm_change', change: id, outcome, note: null, evidence: null, ...more };
  switch (act) {
    case 'revert':
      return { command: 'revert_change', change: id, note: null, evidence: null, ...more };
    case 'correct':
      return { command: 'correct_change', change: id, ...more };
    case 'say_way_back':
      return { command: 'say_way_back', change: id, ...more };
    case 'adopt':
      return { command: 'adopt_change', change: id, ...more };
    case 'hand_on':
      return { command: 'hand_on_change', change: id, ...more };
    case 'take_in':
      return { command: 'take_in_change', change: id };
    case 'dismiss':
      return { command: 'dismiss_change', change: id, reason: null };
    default:
      return { command: 'differs_again', change: id, reason: null };
  }
}

/** What some acts ask for first: what it is called, the button's word, and what can stand there. */
export const LINES: Partial<
  Record<ChangeAct, { field: [label: string, button: string]; is: 'said' | 'note' }>
> = {
  correct: { field: ['What was done', 'Correct it'], is: 'said' },
  say_way_back: { field: ['How to undo it', 'Save it'], is: 'said' },
  adopt: { field: ['Why it stays for good', 'Keep it for good'], is: 'said' },
  hand_on: { field: ['The bug that sees to it: https://…', 'Hand it on'], is: 'said' },
  // Nobody has to say more: Enter alone goes on.
  revert: { field: ['How it was undone, if you like', 'It is reverted'], is: 'note' },
  failed: { field: ['What went wrong, if you like', 'It failed'], is: 'note' },
};

export interface Piece {
  entry: number;
  name: string;
}

/** So many pieces of evidence are offered, the newest. */
const PIECES = 20;

/** What was attached here lately and can show how a change came out, the newest first. */
export function pieces(entries: Entry[], incident: number): Piece[] {
  const all = entries.flatMap((entry) => {
    const piece = evidenceOf(entry, incident);
    return piece ? [{ entry: entry.entry, name: piece.name }] : [];
  });
  return all.slice(-PIECES).toReversed();
}

export interface Sorted {
  /** About to be made: nobody knows yet whether the service differs. */
  announced: Change[];
  /** What differs, in the order in which it is undone. */
  differs: Change[];
  /** Of which nothing is left to do, the newest first. */
  over: Change[];
}

/** Each change where it belongs. */
export function sorted(changes: Change[], differing: Differing[]): Sorted {
  const known = new Map(changes.map((change) => [change.id, change]));
  const differs = differing.flatMap(({ changes: ids }) => ids).flatMap((id) => known.get(id) ?? []);
  const open = new Set(differs.map(({ id }) => id));
  const rest = changes.filter(({ id }) => !open.has(id));
  return {
    announced: rest.filter(({ state }) => state === 'announced'),
    differs,
    over: rest.filter(({ state }) => state !== 'announced').toReversed(),
  };
}

/** How a change stands, before the name of who said so. */
const STANDS: Record<ChangeState, string> = {
  announced: 'announced by',
  done: 'done, says',
  failed: 'failed and changed nothing, says',
  dropped: 'not made after all, says',
  reverted: 'reverted by',
  adopted: 'kept for good by',
  handed_on: 'handed to a bug by',
  dismissed: 'dismissed by',
};

/** How a change stands, before the name of who said so; null where that is what was told at first. */
export function stands({ state, by, state_by, note, evidence }: Change): string | null {
  const more = note !== null || evidence !== null || by.id !== state_by.id;
  return state === 'announced' || (state === 'done' && !more) ? null : STANDS[state];
}

/** How many services differ, in words. */
export function count(differing: Differing[]): string {
  if (differing.length === 0) return '';
  return differing.length === 1 ? '1 service' : `${differing.length} services`;
}

/** How everything is undone, for whoever may do it, and for whoever looks on. */
export function wayBack(differ: number, mine: boolean): string {
  if (mine)
    return differ === 1
      ? 'Undo it, and say when it is reverted.'
      : 'Undo them in this order, the newest first, and say of each when it is reverted.';
  return differ === 1 ? 'Operations undo it.' : 'Operations undo them in this order, the newest first.';
}
