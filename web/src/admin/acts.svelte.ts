// Everything that an admin does from here goes through one of these two: a change of the directory, and reading it anew
// when it changed.
import { Refused, command, get } from '../api/client';
import { coalesced } from '../live/coalesce';
import { live } from '../live/live.svelte';

/** One attempt at a time, with what came of it. */
export class Acts {
  busy = $state(false);
  /** Why the last one was refused. */
  trouble: string | null = $state(null);

  /** Whether it was done. */
  async run(what: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.trouble = null;
    try {
      await what();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // It was so already: what was wanted holds.
      if (error.problem.code === 'already_so') return true;
      this.trouble = error.message;
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** Has the directory changed. */
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
