// How far telling somebody of an offer is, in a few words.
import type { Told, Way } from '../api/types';
import { age } from '../parts/ages';

const CARRIERS = { mail: 'the mail relay', pager: 'their pager', push: 'their browser’s push service' };

function so({ channel, state, at, why }: Way, now: Date): string {
  const carrier = CARRIERS[channel];
  switch (state) {
    case 'accepted':
      return `${carrier} took it ${age(at, now)} ago`;
    case 'refused':
      return `${why ?? `${carrier} did not take it`}; it is tried again`;
    case 'failed':
      return `${why ?? `${carrier} does not take it`}; it is not tried again`;
    case 'quiet':
      return `${channel} waits for the end of their quiet hours`;
    default:
      return `on its way to ${carrier}`;
  }
}

/** "the mail relay took it 40 s ago, not seen yet". */
export function told({ seen_at, ways }: Told, now: Date): string {
  if (seen_at !== null) return `seen ${age(seen_at, now)} ago`;
  if (ways.length === 0) return 'cannot be reached outside this page; not seen yet';
  return `${ways.map((way) => so(way, now)).join(', ')}; not seen yet`;
}
