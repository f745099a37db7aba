// The open incidents and what waits for the reader, read anew when something happens: at most four times a second.
import { Refused, get } from '../api/client';
import { clock } from '../api/clock.svelte';
import type { NextAnswer, Summary } from '../api/types';
import { coalesced } from '../live/coalesce';
import { live } from '../live/live.svelte';
import { isEnded } from './groups';

/** Above every number that an incident can have. */
const ABOVE_ALL = 4_294_967_295;
/** Ended incidents on one page of the API. */
const PAGE = 100;

class Board {
  incidents: Summary[] | undefined = $state.raw();
  next: NextAnswer | undefined = $state.raw();
  /** Undefined until somebody asks for them. */
  ended: Summary[] | undefined = $state.raw();
  moreEnded = $state(false);
  /** When it was received, by the server's clock. */
  asOf: number | null = $state(null);
  trouble: string | null = $state(null);

  #watchers = 0;
  #forget: (() => void)[] = [];
  readonly again = coalesced(() => this.#read());

  /** Keeps the board current while somebody looks: `$effect(() => board.watch())`. */
  watch(): () => void {
    if (this.#watchers++ === 0) {
      this.#forget = [live.onEntry(this.again), live.onGap(this.again)];
      this.again();
    }
    return () => {
      if (--this.#watchers === 0) for (const forget of this.#forget.splice(0)) forget();
    };
  }

  async showEnded(): Promise<void> {
    await this.#attempt(() => this.#readEnded(ABOVE_ALL));
  }

  async showMoreEnded(): Promise<void> {
    const lowest = this.ended?.at(-1)?.number;
    if (lowest !== undefined) await this.#attempt(() => this.#readEnded(lowest));
  }

  hideEnded(): void {
    this.ended = undefined;
  }

  async #read(): Promise<void> {
    await this.#attempt(async () => {
      const [list, next] = await Promise.all([
        get<{ incidents: Summary[] }>('/incidents?drills=true'),
        get<NextAnswer>('/next'),
      ]);
      const open = new Set(list.incidents.map((one) => one.number));
      const left = this.incidents?.some((one) => !open.has(one.number)) ?? false;
      const back = this.ended?.some((one) => open.has(one.number)) ?? false;
      this.incidents = list.incidents;
      this.next = next;
      this.asOf = clock.now.getTime();
      if (this.ended && (left || back)) await this.#readEnded(ABOVE_ALL);
    });
  }

  async #readEnded(below: number): Promise<void> {
    const list = await get<{ incidents: Summary[] }>(`/incidents?drills=true&ended_below=${below}`);
    const page = list.incidents.filter(isEnded);
    this.moreEnded = page.length === PAGE;
    this.ended = below === ABOVE_ALL ? page : [...(this.ended ?? []), ...page];
  }

  async #attempt(read: () => Promise<void>): Promise<void> {
    try {
      await read();
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }
}

export const board = new Board();
