// Asking for permission to change services.
import type { Entry } from '../api/types';

/** The service that a link from the gate names: `?permission=search`. */
export function askedFor(search: string): string | null {
  const named = new URLSearchParams(search).get('permission');
  return named && /^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,99}$/u.test(named) ? named : null;
}

/** Several services, as a sentence lists them. */
export function listed(services: string[]): string {
  const [last, ...others] = [...services].reverse();
  return others.length > 0 ? `${others.reverse().join(', ')} and ${last}` : (last ?? 'nothing');
}

const OF_ASKING = ['permission_asked', 'permission_declined', 'permission_granted', 'glass_broken'];

/** What somebody was told when operations said no to what they asked for last; null where that is not how it stands. */
export function toldNo(entries: Entry[], me: string): string | null {
  const last = entries.findLast(
    ({ kind, body }) => OF_ASKING.includes(kind) && (body.person ?? body.by) === me,
  );
  return last?.kind === 'permission_declined' && last.body.by !== me ? last.told : null;
}
