// Where the reader is, and how they get elsewhere without loading the page anew.
import { tick } from 'svelte';
import { parse, type Route } from './route';

export type { Route };

class Place {
  route: Route = $state(parse(location.pathname));
  #travelling = false;

  constructor() {
    window.addEventListener('popstate', () => (this.route = parse(location.pathname)));
    // Links are ordinary links; a plain click on one of ours stays on the page.
    document.addEventListener('click', (event) => {
      const link = (event.target as Element | null)?.closest?.('a[href^="/"]');
      const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
      if (!(link instanceof HTMLAnchorElement) || !plain || link.target || event.defaultPrevented) return;
      event.preventDefault();
      void this.go(link.pathname + link.search + link.hash);
    });
  }

  async go(path: string): Promise<void> {
    history.pushState(null, '', path);
    this.route = parse(location.pathname);
    await this.enter();
  }

  /** Another page is about to stand at this address. */
  async enter(): Promise<void> {
    this.#travelling = true;
    await tick();
    scrollTo(0, 0);
    this.arrived();
  }

  /** A page is there: a screen reader hears where it is now, and the keyboard starts at its top. */
  arrived(): void {
    const main = document.querySelector<HTMLElement>('main');
    if (!this.#travelling || !main) return;
    this.#travelling = false;
    main.focus({ preventScroll: true });
  }
}

export const place = new Place();
