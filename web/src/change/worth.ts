// How something that is worth keeping is kept by somebody's hand, and what is said beside it.
import type { Worth } from '../api/types';

export interface Way {
  /** What the server fetches when somebody presses the button. */
  url: string | null;
  /** What somebody types where they can. */
  command: string | null;
  note: string | null;
}

const NOTES: Record<Worth['stands'], string | null> = {
  by_hand: null,
  when_declared: 'Wardroom keeps it by itself once this is declared.',
  under_way: 'Wardroom is keeping it.',
  only_shown: 'In an incident, Wardroom would keep it by itself.',
  not_kept: 'Not kept by itself.',
};

export function wayOf({ how, stands, why }: Worth, incident: number): Way {
  const note = stands === 'not_kept' && why ? `Not kept by itself: ${why}.` : NOTES[stands];
  const nothing = { url: null, command: null, note };
  if (how === null || stands === 'under_way') return nothing;
  if (/^https?:\/\//.test(how)) return { ...nothing, url: how };
  if (how.startsWith('capture:')) return nothing;
  return { ...nothing, command: `wardroom run ${incident} --look -- ${how}` };
}
