// Whether the reader is there to be prompted, and whether they are busy: they type, or read a briefing, in this window
// or in another one of this browser. A nudge waits for that, and only the page knows.
import { isTyping } from './parts/keys';

/** Whoever has written nothing for so long types no more, in milliseconds. */
const PAUSE = 30_000;
/** Whoever gave no sign for so long is not there, in milliseconds: what `seen` means for a commander, too. */
const GONE = 5 * 60_000;
/** Other windows have said by then whether they are busy, in milliseconds after they were asked. */
const ANSWERED = 2_000;
/** A window that is busy says so at least this often, for as long as its reader gives signs, in milliseconds. */
const AGAIN = 60_000;

// A screen reader presses what it reads by a click alone.
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'click', 'wheel', 'touchmove'];

/** What windows tell each other: that they are busy, or no longer; and what one that was just opened asks. */
type Told = { window: string; busy: boolean } | 'who';

export class Busy {
  /** Words stand unsent where the keyboard is, and more of them came a moment ago. */
  #types = $state(false);
  /** Another window of this browser is busy. */
  #elsewhere = $state(false);
  /** A briefing is open in this window. */
  reads = $state(false);
  /** The page is before somebody's eyes, as far as a page can know. */
  looking = $state(document.visibilityState === 'visible');
  /** Somebody moved or pressed something a moment ago: that a page is open says nothing. */
  there = $state(false);

  /** Whether it is known of other windows: those that are busy have said so. */
  answered = $state(false);

  #told = -Infinity;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #gone: ReturnType<typeof setTimeout> | undefined;

  /** Whether the reader is busy in this window. */
  get here(): boolean {
    return this.#types || (this.reads && this.there);
  }

  /** Whether they are not to be disturbed. */
  get held(): boolean {
    return this.here || this.#elsewhere;
  }

  /** Watches until the returned function is called. */
  watch(): () => void {
    const stop = [this.#watchHands(), this.#exchange()];
    return () => stop.forEach((end) => end());
  }

  #watchHands(): () => void {
    const stopped = (): void => {
      clearTimeout(this.#pause);
      this.#types = false;
    };
    const wrote = (event: Event): void => {
      const field = event.target as HTMLInputElement;
      // What is written into the document is sent at once: there it counts that somebody writes.
      const words = isTyping(field) ? (field.value ?? field.textContent) : '';
      // What was sent, or taken back, holds up nobody.
      if (!words) return stopped();
      clearTimeout(this.#pause);
      this.#types = true;
      this.#pause = setTimeout(stopped, PAUSE);
    };
    const pressed = (event: Event): void => {
      if (this.#types) wrote(event);
    };
    const sign = (): void => {
      clearTimeout(this.#gone);
      this.there = true;
      this.#gone = setTimeout(() => (this.there = false), GONE);
    };
    const listen: [string, (event: Event) => void][] = [
      ['input', wrote],
      ['keyup', pressed],
      // What has the keyboard may be taken away while the page is being put together anew: nothing can be said then.
      ['focusout', () => queueMicrotask(stopped)],
      ['visibilitychange', () => (this.looking = document.visibilityState === 'visible')],
      ...SIGNS.map((name): [string, () => void] => [name, sign]),
    ];
    for (const [name, hear] of listen) document.addEventListener(name, hear, { passive: true });
    // Whoever just signed in pressed something before anybody listened.
    if (navigator.userActivation?.hasBeenActive) sign();
    return () => {
      for (const [name, hear] of listen) document.removeEventListener(name, hear);
      stopped();
      clearTimeout(this.#gone);
      this.there = false;
    };
  }

  /** Tells the other windows, and hears them. Where that cannot be, each window knows of itself alone. */
  #exchange(): () => void {
    if (!('BroadcastChannel' in window)) {
      this.answered = true;
      return () => {};
    }
    const channel = new BroadcastChannel('wardroom.busy');
    const me = Math.random().toString(36);
    const others = new Map<string, ReturnType<typeof setTimeout>>();
    const tell = (busy: boolean): void => {
      if (!busy && this.#told === -Infinity) return;
      this.#told = busy ? performance.now() : -Infinity;
      channel.postMessage({ window: me, busy } satisfies Told);
    };
    const over = (other: string): void => {
      clearTimeout(others.get(other));
      others.delete(other);
      this.#elsewhere = others.size > 0;
    };
    channel.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data === 'who') return tell(this.here);
      over(data.window);
      if (!data.busy) return;
      // A window that breaks down says nothing more.
      const silence = setTimeout(() => over(data.window), GONE);
      others.set(data.window, silence);
      this.#elsewhere = true;
    };
    const again = (): void => {
      if (this.here && performance.now() - this.#told > AGAIN) tell(true);
    };
    const closed = (): void => tell(false);
    for (const name of SIGNS) document.addEventListener(name, again, { passive: true });
    addEventListener('pagehide', closed);
    channel.postMessage('who' satisfies Told);
    const answered = setTimeout(() => (this.answered = true), ANSWERED);
    const end = $effect.root(() => {
      $effect(() => tell(this.here));
    });
    return () => {
      for (const name of SIGNS) document.removeEventListener(name, again);
      removeEventListener('pagehide', closed);
      end();
      clearTimeout(answered);
      this.answered = false;
      closed();
      channel.close();
      [...others.keys()].forEach(over);
    };
  }
}

export const busy = new Busy();
