// A URL whose content the reader keeps as evidence: the server fetches it, from hosts that are listed there.
import { Refused, command } from '../api/client';
import { Attempt, type Asked } from '../incident/attempt.svelte';

const FETCH: Asked = { command: 'keep_url' };

export class Fetching extends Attempt {
  url = $state('');
  why = $state('');
  /** How many were kept. */
  kept = $state(0);

  /** Whether it is kept. */
  fetch(): Promise<boolean> {
    return this.run(FETCH);
  }

  override async run(asked: Asked): Promise<boolean> {
    // A remedy is a command like any other; what it was for is asked again by the same way.
    if (asked.command !== FETCH.command) return super.run(asked);
    if (this.busy || !this.url.trim()) return false;
    [this.busy, this.asked, this.refused] = [true, asked, null];
    try {
      const [url, why] = [this.url.trim(), this.why.trim() || null];
      await command(`${this.room.path}/evidence/fetch`, { url, why });
      [this.url, this.why] = ['', ''];
      this.kept += 1;
      this.room.refresh();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused = error.problem;
      return false;
    } finally {
      this.busy = false;
    }
  }
}
