// Tells the server that somebody is here: when they point, type or touch, and never because a page is open.
import { send } from './api/client';

/** At most so often, in milliseconds. */
const REST = 60_000;

let told = -REST;

/** Something new waits for the reader: the next sign of them is told at once, for whoever asks whether they saw it. */
export function tellSoon(): void {
  told = -REST;
}

/** Watches until the returned function is called. */
export function watchPresence(): () => void {
  const seen = (event: Event) => {
    if (!event.isTrusted || event.timeStamp - told < REST) return;
    told = event.timeStamp;
    // Whether it arrived shows elsewhere; the next movement says it again.
    send('POST', '/presence').catch(() => {});
  };
  const signs = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'];
  for (const sign of signs) addEventListener(sign, seen, { passive: true, capture: true });
  return () => {
    for (const sign of signs) removeEventListener(sign, seen, { capture: true });
  };
}
