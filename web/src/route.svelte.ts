// Where the reader is. Every place has an address of its own, so that it can be linked to at 03:00.

export type Route =
  | { page: 'board' }
  | { page: 'incident'; number: number }
  | { page: 'sign-in' }
  | { page: 'welcome' }
  | { page: 'nowhere'; path: string };

function parse(path: string): Route {
  if (path === '/') return { page: 'board' };
  if (path === '/sign-in') return { page: 'sign-in' };
  // The one-time secret stands in the fragment, which no server and no log ever gets to see.
  if (path === '/welcome') return { page: 'welcome' };
  const incident = /^\/incidents\/(\d{1,9})$/.exec(path);
  if (incident) return { page: 'incident', number: Number(incident[1]) };
  return { page: 'nowhere', path };
}

class Place {
  route: Route = $state(parse(location.pathname));

  constructor() {
    window.addEventListener('popstate', () => (this.route = parse(location.pathname)));
    // Links are ordinary links; a plain click on one of ours stays on the page.
    document.addEventListener('click', (event) => {
      const link = (event.target as Element | null)?.closest?.('a[href^="/"]');
      const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
      if (!(link instanceof HTMLAnchorElement) || !plain || link.target || event.defaultPrevented) return;
      event.preventDefault();
      this.go(link.pathname + link.search + link.hash);
    });
  }

  go(path: string): void {
    history.pushState(null, '', path);
    this.route = parse(location.pathname);
    scrollTo(0, 0);
    // A screen reader hears where it is now, and the keyboard starts at the top.
    document.querySelector<HTMLElement>('main')?.focus();
  }
}

export const place = new Place();
