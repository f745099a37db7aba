// My notes on their way: shown at once, and until the server has them on disk. See keep/notes.ts.
import { requestId } from '../api/client';
import { clock } from '../api/clock.svelte';
import type { Time } from '../api/types';
import { type Note, add, change, notesOf, onChange } from '../keep/notes';
import { alone, drain } from '../keep/sending';
import type { Room } from './room.svelte';

export interface Draft {
  text: string;
  pin: boolean;
  happened_at: Time | null;
}

export class Notes {
  /** What stands in the composer. */
  text = $state('');
  /** Oldest first. */
  waiting: Note[] = $state.raw([]);
  readonly #room: Room;
  /** How often it was looked what waits, and which look is shown. */
  #looks = 0;
  #shown = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Shows what waits, until the returned function is called. */
  follow(): () => void {
    void this.#read();
    return onChange(() => void this.#read());
  }

  async write(draft: Draft): Promise<void> {
    const person = this.#room.me;
    const of = { person, incident: this.#room.number, request_id: requestId(), written: Date.now() };
    await add({ ...draft, ...of });
    await drain(person);
  }

  /** When it was written, by the server's clock. */
  at(note: Note): Time {
    return clock.at(note.written).toISOString();
  }

  /** Once more, after a refusal. */
  async again({ nr }: Note): Promise<void> {
    await change(nr, (note) => ({ ...note, refused: null }));
    await drain(this.#room.me);
  }

  /** Takes it away. What is being sent at this moment is sent: then there is nothing left to take. */
  async drop({ nr }: Note): Promise<void> {
    await alone(() => change(nr, () => null));
  }

  async #read(): Promise<void> {
    const look = (this.#looks += 1);
    const all = await notesOf(this.#room.me);
    const now = all.filter(({ incident }) => incident === this.#room.number);
    // Whatever is gone was written, here or in another window: its entry takes its place.
    const gone = this.waiting.some(({ nr }) => now.every((note) => note.nr !== nr));
    if (gone) await this.#room.did();
    // A later look may have been done meanwhile, and knows better what is gone.
    if (look < this.#shown) return;
    this.#shown = look;
    this.waiting = now;
  }
}
