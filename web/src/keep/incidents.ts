// Incidents as they were last received: what their page shows without a server.
import type { Entry, IncidentView, Person } from '../api/types';
import { forgetSent } from '../document/database';
import { forgetState, keepState, stateOf } from './states';

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
  return await stateOf<Known>(person, placeOf(number), now);
}

/** Its reader may not see it any more, or it became restricted. Words that only this browser has stay. */
export async function forgetIncident(person: string, number: number): Promise<void> {
  const its = (place: { person: string; incident: number }): boolean =>
    place.person === person && place.incident === number;
  await Promise.all([forgetState(placeOf(number)), forgetSent(its)]);
}
