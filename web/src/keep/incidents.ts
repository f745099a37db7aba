// Incidents as they were last received: what their page shows without a server.
import { Refused, get } from '../api/client';
import type { Entry, IncidentView, Person, Summary } from '../api/types';
import { forgetOld, forgetSent, incidentsOf } from '../document/database';
import { forgetState, keepState, places, stateOf } from './states';

/** So many entries of the timeline are kept, the newest. */
const ENTRIES = 200;

export interface Known {
  view: IncidentView;
  /** Oldest first, without holes. */
  entries: Entry[];
  pinned: Entry[];
  people: Person[];
}

const placeOf = (number: number): string => `incident/${number}`;

/**
 * Keeps an incident. Of a restricted one nothing is kept: that it exists, and what it is about, is for the invited, and
 * the disk of a machine that others use too is not invited.
 */
export async function keepIncident(person: string, known: Known, at: number): Promise<void> {
  const { view, pinned, people } = known;
  if (view.restricted) return await forgetIncident(person, view.number);
  const entries = known.entries.slice(-ENTRIES);
  const told = new Set([...entries, ...pinned].map(({ actor }) => actor));
  const named = people.filter(({ id }) => told.has(id));
  await keepState(person, placeOf(view.number), { view, entries, pinned, people: named }, at);
}

export async function knownIncident(
  person: string,
  number: number,
  now: number,
): Promise<{ what: Known; at: number } | null> {
  const known = await stateOf<Known>(person, placeOf(number), now);
  // A page of before kept it, which knew nothing of changes.
  const none = { changes: [], changes_recorded: 0, differing: [], may_announce: false };
  return known && { ...known, what: { ...known.what, view: { ...none, ...known.what.view } } };
}

/** Its reader may not see it any more, or it became restricted. Words that only this browser has stay. */
export async function forgetIncident(person: string, number: number): Promise<void> {
  const its = (place: { person: string; incident: number }): boolean =>
    place.person === person && place.incident === number;
  await Promise.all([forgetState(placeOf(number)), forgetSent(its)]);
}

/** The server says that there is nothing for this reader to see. */
const LOST = [403, 404, 410];

/**
 * Forgets what this browser keeps of incidents that its reader may not see any more, or that are restricted now: that may
 * have happened while no window looked. One request for all that are open, and one for each that is not. Documents
 * beyond what is kept go as well.
 */
export async function lookAgain(person: string): Promise<void> {
  const onShelf = (await places()).map((place) => Number(/^incident\/(\d+)$/.exec(place)?.[1]));
  const kept = new Set([...onShelf.filter(Boolean), ...(await incidentsOf(person))]);
  if (kept.size === 0) return;
  const { incidents } = await get<{ incidents: Summary[] }>('/incidents?drills=true');
  for (const { number, invited } of incidents) if (!invited) kept.delete(number);
  const over = new Set<number>();
  for (const number of kept) {
    const became = await whatBecameOf(number);
    if (became === 'lost') await forgetIncident(person, number);
    if (became === 'over') over.add(number);
  }
  await forgetOld(person, over);
}

async function whatBecameOf(number: number): Promise<'lost' | 'over' | 'open' | 'unknown'> {
  try {
    const { restricted, phase } = await get<IncidentView>(`/incidents/${number}`);
    if (restricted) return 'lost';
    return phase === 'closed' || phase === 'merged' ? 'over' : 'open';
  } catch (error) {
    // Without an answer nothing is known, and nothing goes.
    return error instanceof Refused && LOST.includes(error.problem.status) ? 'lost' : 'unknown';
  }
}
