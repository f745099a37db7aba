// Asking for permission to change services.

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
