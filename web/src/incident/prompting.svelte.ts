// How the next line comes before the reader's eyes. Whether and when is the server's to say, once for all tabs of one
// person; the page holds a nudge back while its reader types or reads, and asks before it draws their attention.
import { tick, untrack } from 'svelte';
import { Refused, send } from '../api/client';
import type { Next, Nudge, PromptAnswer } from '../api/types';
import { busy } from '../busy.svelte';
import type { Room } from './room.svelte';

const named = (nudge: Nudge): string => JSON.stringify(nudge);

export class Prompting {
  /** Why it could not be put off. */
  trouble: string | null = $state(null);
  /** The nudge that the reader was prompted of here. */
  #prompted: string | null = $state(null);
  /** The nudge that stood on the line when the reader last was free. */
  #standing: string | null = $state(null);
  /** The last reading that may be older than what the server was asked, or answered. */
  #settled = 0;
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
  }

  get #nudge(): Nudge | null {
    const prompt = this.#room.view?.prompt;
    return prompt && prompt.how !== 'at_once' ? prompt.nudge : null;
  }

  /** Whether a nudge that came while the reader is not to be disturbed waits for them to be done. */
  get holdsBack(): boolean {
    const nudge = this.#nudge;
    const draws = this.#room.view?.prompt?.how === 'when_free';
    return nudge !== null && draws && busy.held && this.#standing !== named(nudge);
  }

  /** What stands on the line. What is held back is not there yet. */
  get next(): Next | null {
    return this.holdsBack ? null : (this.#room.view?.next ?? null);
  }

  /** What is being read aloud, by a name that stays for as long as it is the same thing. */
  get said(): string {
    if (!this.loud) return '';
    return this.#nudge ? named(this.#nudge) : JSON.stringify(this.next);
  }

  /** Whether it stands out and is read aloud: somebody waits for it, or the reader is being prompted of it. */
  get loud(): boolean {
    if (this.next === null || this.putOffUntil !== null) return false;
    return this.#nudge === null || this.#prompted === named(this.#nudge);
  }

  /** Until when the reader put it off; null when they did not, or somebody waits for it. */
  get putOffUntil(): string | null {
    const prompt = this.#room.view?.prompt;
    return prompt?.how === 'quietly' && prompt.put_off ? prompt.until : null;
  }

  /** Whether it can be put off. */
  get canWait(): boolean {
    return this.next !== null && this.#nudge !== null && this.putOffUntil === null;
  }

  /** Follows what is next until the returned function is called: `$effect(() => room.prompting.follow())`. */
  follow(): () => void {
    const end = $effect.root(() => {
      $effect(() => {
        const show = this.#room.panel?.show;
        busy.reads = show === 'handoff' || show === 'first';
      });
      $effect(() => {
        // What stands here before another window said that its reader is busy there, they have not been shown.
        if (!busy.held && busy.answered) this.#standing = this.#nudge && named(this.#nudge);
      });
      // What came, went and comes again is quiet, until the server grants another prompt.
      $effect(() => {
        const standing = this.putOffUntil === null && this.#nudge ? named(this.#nudge) : null;
        untrack(() => {
          if (this.#prompted !== standing) this.#prompted = null;
        });
      });
      $effect(() => {
        const { view } = this.#room;
        // Nobody is prompted at a desk that they left: the prompt would be spent, and missing where they are.
        const attends = busy.looking && busy.there && !busy.held;
        if (view?.prompt?.how === 'when_free' && attends) untrack(() => void this.#ask());
      });
    });
    return () => {
      end();
      busy.reads = false;
    };
  }

  /** Asks for a prompt: other tabs of the reader may, too, and one gets it. */
  async #ask(): Promise<void> {
    const nudge = this.#nudge;
    if (this.#room.shown <= this.#settled || !nudge) return;
    this.#settled = Infinity;
    try {
      const { prompted } = await this.#say('prompt', nudge).finally(() => (this.#settled = this.#room.begun));
      if (!prompted || !this.#nudge || named(this.#nudge) !== named(nudge)) return this.#room.refresh();
      // Of the same thing again: it is read aloud anew.
      this.#prompted = null;
      await tick();
      this.#prompted = named(nudge);
    } catch (error) {
      // It stands there all the same; the next reading asks again.
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** For ten minutes, on every surface. */
  async putOff(): Promise<void> {
    const nudge = this.#nudge;
    if (!nudge || !this.canWait) return;
    try {
      await this.#say('put_off', nudge);
      this.trouble = null;
      await this.#room.did();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }

  #say(act: 'prompt' | 'put_off', nudge: Nudge): Promise<PromptAnswer> {
    return send<PromptAnswer>('POST', `${this.#room.path}/prompts`, { act, nudge });
  }
}
