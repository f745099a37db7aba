// One attempt at a time at something that the server may refuse.
import { Refused } from '../api/client';

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
}
