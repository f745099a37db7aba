// What is kept of an incident, as the server lists it: read anew when something is attached or taken out, by whomever.
import { Refused, get } from '../api/client';
import { coalesced } from '../live/coalesce';
import { live } from '../live/live.svelte';
import type { Piece } from './words';

export class Pieces {
  /** Null until it was read once. */
  all: Piece[] | null = $state.raw(null);
  /** Why nothing can be read. */
  trouble: string | null = $state(null);
  /** Reads it again, soon. */
  readonly refresh = coalesced(() => this.read());

  constructor(readonly incident: number) {}

  /** Follows it until the returned function is called. */
  follow(): () => void {
    const stop = [
      live.onEntry(({ incident, kind }) => {
        if (incident === this.incident && /^(evidence_attached|redacted)$/.test(kind)) this.refresh();
      }),
      live.onGap(this.refresh),
    ];
    return () => stop.forEach((end) => end());
  }

  async read(): Promise<void> {
    try {
      const { evidence } = await get<{ evidence: Piece[] }>(`/incidents/${this.incident}/evidence`);
      this.all = evidence;
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // That nobody answers, the room says.
      if (error.problem.status !== 0) this.trouble = error.message;
      else this.trouble = this.all ? null : 'What is kept cannot be read while the server is away.';
    }
  }
}
