// One attempt at a command: under way, done, or refused with the reason and the remedy to show in place.
import { tick } from 'svelte';
import { Refused, command } from '../api/client';
import type { Accepted, Problem } from '../api/types';
import { around, stay } from '../parts/stay';
import type { Room } from './room.svelte';

export type Asked = { command: string; [field: string]: unknown };

export class Attempt {
  busy = $state(false);
  refused: Problem | null = $state.raw(null);
  /** What was refused, so that it can be tried again once the remedy is done. */
  asked: Asked | null = $state.raw(null);

  constructor(readonly room: Room) {}

  /** Whether it was accepted. */
  async run(asked: Asked): Promise<boolean> {
    if (this.busy) return false;
    const at = document.activeElement;
    const places = at && at !== document.body ? around(at) : [];
    this.busy = true;
    this.asked = asked;
    try {
      await command<Accepted>(`${this.room.path}/commands`, asked);
      this.refused = null;
      await this.room.did();
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused = error.problem;
      this.room.refresh();
      return false;
    } finally {
      this.busy = false;
      void keepPlace(places);
    }
  }
}

/** A button that was pressed and is gone, or was disabled meanwhile, must not send the keyboard back to the top. */
async function keepPlace(places: HTMLElement[]): Promise<void> {
  await tick();
  if (document.activeElement === document.body) stay(places);
}
