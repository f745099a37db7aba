// My notes on their way: shown at once as being sent, and kept with a way to try again when that failed.
import { Refused, command, requestId } from '../api/client';
import { clock } from '../api/clock.svelte';
import type { Accepted, Time } from '../api/types';
import type { Room } from './room.svelte';

export interface Draft {
  text: string;
  pin: boolean;
  happened_at: Time | null;
}

export interface Sending extends Draft {
  /** Stays the same however often it is tried, so that the note is written once. */
  request_id: string;
  at: Time;
  /** Why it is not written. */
  failed: string | null;
}

export class Notes {
  /** What stands in the composer. */
  text = $state('');
  sending: Sending[] = $state([]);
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
  }

  write(draft: Draft): void {
    this.sending.push({
      ...draft,
      request_id: requestId(),
      at: clock.now.toISOString(),
      failed: null,
    });
    const last = this.sending.at(-1);
    if (last) void this.attempt(last);
  }

  async attempt(note: Sending): Promise<void> {
    note.failed = null;
    const { request_id, text, pin, happened_at } = note;
    try {
      const body = { request_id, command: 'note', text, pin, happened_at };
      await command<Accepted>(`${this.#room.path}/commands`, body);
      await this.#room.did();
      this.drop(note);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      note.failed = error.message;
    }
  }

  drop(note: Sending): void {
    this.sending = this.sending.filter(({ request_id }) => request_id !== note.request_id);
  }
}
