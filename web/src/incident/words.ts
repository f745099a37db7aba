// The field's words for roles, phases and times, as they stand on screen.
import type { IncidentView, Offer, Phase, Role, RolePath, Time } from '../api/types';

const NAMES: Record<string, string> = {
  command: 'Incident commander',
  operations: 'Operations',
  communications: 'Communications',
  planning: 'Planning',
};

/** How a role is called: its own name, not its path. */
export function roleName(role: RolePath, view?: IncidentView | null): string {
  if (role === 'command' && view?.declared_at === null) return 'Lead';
  const own = role.split('/').at(-1) ?? role;
  return NAMES[role] ?? (own.charAt(0).toUpperCase() + own.slice(1)).replaceAll('-', ' ');
}

/** A role in a sentence: "offers you command". */
export function roleWord(role: RolePath): string {
  return role.replaceAll('/', ' / ').replaceAll('-', ' ');
}

export const PHASES: [Phase, string][] = [
  ['investigating', 'Not declared'],
  ['active', 'Active'],
  ['mitigated', 'Mitigated'],
  ['resolved', 'Resolved'],
  ['closed', 'Closed'],
];

/** Where a role stands: under which other one, or null for the root. */
export function parentOf(role: RolePath): RolePath | null {
  if (role === 'command') return null;
  return role.includes('/') ? role.slice(0, role.lastIndexOf('/')) : 'command';
}

const DUTIES = ['command', 'operations', 'communications', 'planning'];

/** In the order of the tree: operations before communications before planning, each with what is under it. */
export function inOrder<R extends { role: RolePath }>(roles: R[]): R[] {
  const rank = ({ role }: R): string =>
    `${DUTIES.indexOf(role.split('/')[0] ?? '')} ${role.replaceAll('/', '\0')}`;
  return roles.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** By whom a role that nobody was given is held: by whoever holds that one. */
export function withWhom({ held_through }: Role, view: IncidentView): string {
  if (held_through === null) return 'nobody any more';
  if (held_through !== 'command') return `with ${roleName(held_through).toLowerCase()}`;
  return view.declared_at === null ? 'with the lead' : 'with the commander';
}

export function offeredTo(offer: Offer, me: string): string {
  if ('team' in offer.to) return `the team ${offer.to.team}`;
  return offer.to.person.id === me ? 'you' : offer.to.person.name;
}

/** 14:51, in UTC or where the reader is. */
export function hhmm(at: Time | Date, zone?: 'UTC'): string {
  const format: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return new Date(at).toLocaleTimeString('en-GB', zone ? { ...format, timeZone: zone } : format);
}

/** The time where the reader is, if that is another one. */
export function yours(at: Time): string | null {
  const [utc, own] = [hhmm(at, 'UTC'), hhmm(at)];
  return utc === own ? null : own;
}

/** The day, when it is not today's (UTC). */
export function day(at: Time, now: Date): string | null {
  const date = at.slice(0, 10);
  return date === now.toISOString().slice(0, 10) ? null : date;
}

/** When something is due next: clocks that rang come first. */
export function due(clock: { due_at: Time; rang_at: Time | null }): Time {
  return clock.rang_at ?? clock.due_at;
}

/** Only what a browser may open; the server checks it too. */
export function safeLink(link: string | null): string | null {
  return link !== null && /^(https?:|tel:|mailto:)/i.test(link) ? link : null;
}

/** A command post where people talk. */
export function isCall(post: { label: string | null; link: string | null }): boolean {
  const talks = /\b(call|bridge|phone|conference|video|meet|zoom|jitsi|teams|webex)\b/i;
  return (
    post.link !== null && (/^tel:/i.test(post.link) || talks.test(post.link) || talks.test(post.label ?? ''))
  );
}
