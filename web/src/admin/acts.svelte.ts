// Everything that an admin does from here goes through one of these two: a change of the directory, and reading it anew
// when it changed.
import { Refused, command, get } from '../api/client';
import { coalesced } from '../live/coalesce';
import { live } from '../live/live.svelte';
import { Acts } from '../parts/acts.svelte';

/** Attempts at changing the directory. */
export class Changes extends Acts {
  /** Whether it was changed, or was so already. */
  change(asked: { command: string; [field: string]: unknown }): Promise<boolean> {
    return this.run(() => command('/directory/commands', asked));
  }
}

/** Something that follows from the directory, kept as the server has it now. */
export class Reading<T> {
  value: T | undefined = $state.raw();
  trouble: string | null = $state(null);

  constructor(readonly path: string) {}

  read = async (): Promise<void> => {
    try {
      this.value = await get<T>(this.path);
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  };

  /** Until the returned function is called: `$effect(() => reading.watch())`. */
  watch(): () => void {
    return onDirectory(this.read);
  }
}

/** Calls back at once, and whenever the directory may have changed. */
export function onDirectory(read: () => Promise<void>): () => void {
  const again = coalesced(read);
  again();
  const forget = [live.onEntry((entry) => entry.incident === null && again()), live.onGap(again)];
  return () => forget.forEach((one) => one());
}
