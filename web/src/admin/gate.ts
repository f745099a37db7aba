// The gate of a service, in words.
import type { Severity } from '../api/types';
import { SEVERITIES } from '../parts/severities';
import type { Gated } from './types';

const plural = (many: number, one: string, more: string): string => `${many} ${many === 1 ? one : more}`;

/** Severities as a sentence names them: "SEV 1 and SEV 2". */
export function at(severities: Severity[]): string {
  const names = SEVERITIES.filter(({ id }) => severities.includes(id)).map(({ name }) => name);
  const last = names.pop() ?? '';
  return names.length > 0 ? `${names.join(', ')} and ${last}` : last;
}

/** Whether it stops people, in a few words. */
export const mode = (enforced: Severity[]): string =>
  enforced.length > 0 ? `the gate stops people at ${at(enforced)}` : 'the gate only observes';

/** What it did lately: nothing where it did nothing. */
export function lately(gated: Gated | undefined, days: number): string {
  const { stopped = 0, observed = 0, uncoordinated = 0 } = gated ?? {};
  if (stopped + observed === 0) return '';
  const did = [
    ...(stopped > 0 ? [`stopped ${stopped}`] : []),
    ...(observed > 0 ? [`would have stopped ${observed}`] : []),
  ];
  const told =
    uncoordinated > 0
      ? `; ${plural(uncoordinated, 'uncoordinated change', 'uncoordinated changes')} afterwards`
      : '';
  return `${did.join(' and ')} in ${days} days${told}`;
}
