// Asking for permission to change services.
import type { Entry } from '../api/types';

/** The services that a link from the gate names: `?permission=checkout,search`. */
export function askedFor(search: string): string[] | null {
  const named = new URLSearchParams(search).get('permission')?.split(',') ?? [];
  const services = named.filter((name) => /^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,99}$/u.test(name));
  return services.length > 0 ? services : null;
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
