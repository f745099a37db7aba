// Showing anew who sits here: an act that asks for it waits until that is done, and is then asked again.
import { proof as asked } from '../api/client';

class Proof {
  /** Why the reader is asked, while they are. */
  why: string | null = $state(null);
  private waiting: ((shown: boolean) => void)[] = [];

  /** Resolves once they showed it, or would not. */
  ask(why: string): Promise<boolean> {
    // What lies over the page would lie over the panel too.
    for (const open of document.querySelectorAll<HTMLElement>(':popover-open')) open.hidePopover();
    this.why = why;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  end(shown: boolean): void {
    this.why = null;
    for (const resolve of this.waiting.splice(0)) resolve(shown);
  }
}

export const proof = new Proof();
asked.ask = (why) => proof.ask(why);
