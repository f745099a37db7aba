// The picture of who held which role when: read from the log, and from the view for what is held now. It is only a
// picture: nothing is decided by it.
import type { Entry, IncidentView, RolePath, Time } from '../api/types';
import { inOrder } from './words';

export interface Bar {
  role: RolePath;
  person: string;
  from: Time;
  /** Null while it lasts. */
  to: Time | null;
}

export interface OfferBar {
  role: RolePath;
  from: Time;
  to: Time | null;
}

export interface Lane {
  role: RolePath;
  bars: Bar[];
  offers: OfferBar[];
}

const OFFER_ENDS = new Set([
  'role_taken',
  'offer_declined',
  'offer_withdrawn',
  'offer_lapsed',
  'offer_superseded',
]);

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Lanes in the order of the tree, those without any tenure left out. */
export function lanes(view: IncidentView, entries: Entry[]): Lane[] {
  const all = new Map<RolePath, Lane>();
  const lane = (role: RolePath): Lane => {
    const known = all.get(role) ?? { role, bars: [], offers: [] };
    all.set(role, known);
    return known;
  };
  const end = (role: RolePath, at: Time): void => {
    const last = lane(role).bars.at(-1);
    if (last) last.to ??= at;
  };
  const begin = (role: RolePath, person: string, from: Time): void => {
    end(role, from);
    lane(role).bars.push({ role, person, from, to: null });
  };
  for (const { kind, at, body } of entries) {
    const [role, by] = [text(body.role), text(body.by)];
    if ((kind === 'opened' || kind === 'reopened' || kind === 'command_assumed') && by)
      begin('command', by, at);
    if (kind === 'role_taken' && role && by) begin(role, by, at);
    if (kind === 'role_fell' && role) end(role, at);
    if (kind === 'closed' || kind === 'merged_into') for (const { role } of all.values()) end(role, at);
    if (kind === 'role_offered' && role) lane(role).offers.push({ role, from: at, to: null });
    if (OFFER_ENDS.has(kind) && role) lane(role).offers.forEach((offer) => (offer.to ??= at));
  }
  // While the view is being read again, the entries know better.
  if (view.last_entry >= (entries.at(-1)?.entry ?? 0)) asTheViewSays(view, lane, begin, end);
  const drawn = [...all.values()].filter(({ bars, offers }) => bars.length > 0 || offers.length > 0);
  return inOrder(drawn);
}

/** What is held now is known even where its beginning is not loaded. */
function asTheViewSays(
  view: IncidentView,
  lane: (role: RolePath) => Lane,
  begin: (role: RolePath, person: string, from: Time) => void,
  end: (role: RolePath, at: Time) => void,
): void {
  for (const { role, holder, since, offer } of view.roles) {
    const last = lane(role).bars.at(-1);
    if (holder && since && (last?.person !== holder.id || last.to !== null)) begin(role, holder.id, since);
    if (!holder) end(role, view.last_at);
    if (!offer) lane(role).offers.forEach((pending) => (pending.to ??= view.last_at));
  }
}
