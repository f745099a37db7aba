// Files that the reader keeps as evidence, one after the other: what was chosen, what is on its way, and what was not
// taken. It outlives the piece of the page that shows it: a large file is on its way while its sender reads on.
import { tick } from 'svelte';
import type { Problem } from '../api/types';
import { Attempt, type Asked } from '../incident/attempt.svelte';
import type { Room } from '../incident/room.svelte';
import { bring, inLine } from '../document/evidence';
import { brief } from './words';

const KEEP: Asked = { command: 'keep_files' };

/** What may go otherwise for the next file, or after a while. */
const passes = ({ status, remedy }: Problem): boolean => [0, 502, 503, 504].includes(status) || !!remedy;

export class Bringing extends Attempt {
  /** Chosen, and not kept yet. */
  files: File[] = $state.raw([]);
  /** Why they are worth keeping, if somebody says so. */
  why = $state('');
  /** On its way, and how far it is, in percent, once that is known. */
  now: { name: string; far: number | null } | null = $state.raw(null);
  /** Read aloud. */
  said = $state('');

  choose(files: Iterable<File>): void {
    this.refused = null;
    this.files = [...this.files, ...files];
  }

  leave(): void {
    [this.files, this.why, this.refused] = [[], '', null];
  }

  /** Keeps what was chosen. Whether all of it is kept. */
  keep(): Promise<boolean> {
    return this.run(KEEP);
  }

  override async run(asked: Asked): Promise<boolean> {
    // A remedy is a command like any other; what it was for is asked again by the same way.
    if (asked.command !== KEEP.command) return super.run(asked);
    if (this.busy) return false;
    [this.busy, this.asked, this.refused] = [true, asked, null];
    const stay = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', stay);
    try {
      return await this.#all();
    } finally {
      removeEventListener('beforeunload', stay);
      [this.busy, this.now] = [false, null];
      await tick();
    }
  }

  async #all(): Promise<boolean> {
    const why = this.why.trim() || null;
    const left: File[] = [];
    while (this.files.length > 0) {
      const [file, ...others] = this.files as [File, ...File[]];
      const name = brief(file.name);
      this.now = { name, far: null };
      this.said = `Sending ${name}.`;
      const brought = await bring(
        this.room.number,
        file,
        inLine(file.name),
        why,
        (far) => (this.now = { name, far }),
      );
      if ('address' in brought) {
        this.said = `${name} is kept.`;
        this.files = others;
        this.room.refresh();
        continue;
      }
      const { problem } = brought;
      this.refused ??= { ...problem, detail: `${name} was not kept. ${problem.detail}` };
      // What is wrong with one is not wrong with the others.
      if (passes(problem)) break;
      left.push(file);
      this.files = others;
    }
    this.files = [...left, ...this.files];
    if (this.files.length === 0) this.why = '';
    return this.files.length === 0;
  }
}

const all = new WeakMap<Room, Bringing>();

/** What is brought in this room. */
export function bringing(room: Room): Bringing {
  const known = all.get(room) ?? new Bringing(room);
  all.set(room, known);
  return known;
}
