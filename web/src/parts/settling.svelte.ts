// What a hand was on its way to press is not what stands there since a moment ago: a thumb that presses twice, or somebody
// who was quicker. So nothing is pressed until that has been there for a moment.

/** For how long, in milliseconds: longer than the second press of a thumb takes, and shorter than reading does. */
export const MOMENT = 800;

export class Settling {
  /** Something else stands there since less than a moment ago. */
  fresh = $state(false);
  /** What stands there; undefined before anything did. */
  #shown: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** What stands there now, by a name that stays for as long as it is the same. */
  shows(what: string): void {
    const before = this.#shown;
    this.#shown = what;
    if (before === undefined || before === what) return;
    clearTimeout(this.#timer);
    this.fresh = true;
    this.#timer = setTimeout(() => (this.fresh = false), MOMENT);
  }

  /** For an element: while it is fresh, nothing in it is pressed. It keeps the keyboard. */
  holds = (node: HTMLElement): (() => void) | undefined => {
    if (!this.fresh) return;
    const stop = (event: Event): void => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    node.setAttribute('aria-disabled', 'true');
    node.addEventListener('click', stop, { capture: true });
    return () => {
      node.removeAttribute('aria-disabled');
      node.removeEventListener('click', stop, { capture: true });
    };
  };
}
