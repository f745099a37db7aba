// Whether somebody is there to be prompted, and whether they type: what a nudge waits for, and only the page knows.
import { isTyping } from '../parts/keys';

/** Whoever has written nothing for so long types no more, in milliseconds. */
const PAUSE = 30_000;
/** Whoever gave no sign for so long reads no more, in milliseconds. */
const GONE = 5 * 60_000;

const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchmove'];

export class Busy {
  /** Words stand unsent where the keyboard is, and more of them came a moment ago. */
  #here = $state(false);
  /** The same, in another window of this browser. */
  #elsewhere = $state(false);
  /** The page is before somebody's eyes, as far as a page can know. */
  looking = $state(document.visibilityState === 'visible');
  /** Somebody moved or pressed something a moment ago. */
  there = $state(true);

  #pause: ReturnType<typeof setTimeout> | undefined;
  #gone: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  get typing(): boolean {
    return this.#here || this.#elsewhere;
  }

  /** Watches until the returned function is called. */
  watch(): () => void {
    // Without it each window knows of itself alone.
    const others = 'BroadcastChannel' in window ? new BroadcastChannel('wardroom.typing') : null;
    const tell = (typing: boolean): void => {
      if (typing || this.#here) others?.postMessage(typing);
      this.#here = typing;
    };
    const heard = ({ data }: MessageEvent<boolean>): void => {
      clearTimeout(this.#silence);
      this.#elsewhere = data;
      this.#silence = setTimeout(() => (this.#elsewhere = false), PAUSE);
    };
    if (others) others.onmessage = heard;
    const stopped = (): void => {
      clearTimeout(this.#pause);
      tell(false);
    };
    const wrote = (event: Event): void => {
      const words = isTyping(event.target) ? (event.target as HTMLInputElement).value : '';
      // What was sent, or taken back, holds up nobody.
      if (!words) return stopped();
      clearTimeout(this.#pause);
      tell(true);
      this.#pause = setTimeout(stopped, PAUSE);
    };
    const pressed = (event: Event): void => {
      if (this.#here) wrote(event);
    };
    const sign = (): void => {
      clearTimeout(this.#gone);
      this.there = true;
      this.#gone = setTimeout(() => (this.there = false), GONE);
    };
    const looks = (): boolean => (this.looking = document.visibilityState === 'visible');
    const listen: [string, (event: Event) => void][] = [
      ['input', wrote],
      ['keyup', pressed],
      // What has the keyboard may be taken away while the page is being put together anew: nothing can be said then.
      ['focusout', () => queueMicrotask(stopped)],
      ['visibilitychange', looks],
      ...SIGNS.map((name): [string, () => void] => [name, sign]),
    ];
    for (const [name, hear] of listen) document.addEventListener(name, hear, { passive: true });
    sign();
    return () => {
      for (const [name, hear] of listen) document.removeEventListener(name, hear);
      stopped();
      others?.close();
      clearTimeout(this.#gone);
      clearTimeout(this.#silence);
    };
  }
}
