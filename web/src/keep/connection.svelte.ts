// Whether the server is out of reach, and the one line that says so to everybody; and what that makes of buttons that
// need it.
import { live } from '../live/live.svelte';
import { session } from '../session.svelte';

/** A break that is over by then is not worth a line, in milliseconds. */
const GRACE = 5_000;
/** Where the reason stands, for whoever hears the page read aloud. */
export const REASON_ID = 'needs-server';
export const REASON = 'This needs the server, which cannot be reached now.';

class Connection {
  #late = $state(false);

  constructor() {
    $effect.root(() => {
      $effect(() => {
        this.#late = false;
        if (live.state !== 'reconnecting') return;
        const timer = setTimeout(() => (this.#late = true), GRACE);
        return () => clearTimeout(timer);
      });
    });
  }

  /** Nobody answers at this moment; it may be over before anybody notices. */
  get away(): boolean {
    return session.kept || live.state === 'reconnecting';
  }

  /** It is worth a line. */
  get lost(): boolean {
    return session.kept || (this.#late && live.state === 'reconnecting');
  }
}

export const connection = new Connection();

/** A button that can do nothing without the server: then it shows that, says why, and does nothing. It keeps the keyboard. */
export function needsServer(button: HTMLElement): (() => void) | undefined {
  if (!connection.lost) return;
  const before = ['aria-disabled', 'aria-describedby', 'title'].map(
    (name) => [name, button.getAttribute(name)] as const,
  );
  const described = button.getAttribute('aria-describedby');
  button.setAttribute('aria-disabled', 'true');
  button.setAttribute('aria-describedby', described ? `${described} ${REASON_ID}` : REASON_ID);
  if (!button.title) button.title = REASON;
  const stop = (event: Event): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  button.addEventListener('click', stop, { capture: true });
  return () => {
    button.removeEventListener('click', stop, { capture: true });
    for (const [name, value] of before)
      if (value === null) button.removeAttribute(name);
      else button.setAttribute(name, value);
  };
}
