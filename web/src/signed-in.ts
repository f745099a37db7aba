// What goes on for as long as somebody is signed in, on every page, and what the first paint does not need: whoever types
// here is not disturbed in their other windows, others see that they are here, and what they know is kept.
import { busy } from './busy.svelte';
import { follow } from './keep/keep.svelte';
import { watchPresence } from './presence';

export { ended, reopen } from './keep/keep.svelte';

/** Until the returned function is called. */
export function begin(person: string, readsOnly: boolean): () => void {
  const stop = [busy.watch(), follow(person), ...(readsOnly ? [] : [watchPresence()])];
  return () => stop.forEach((end) => end());
}
