// Who the reader is, as the server sees it.
import { Refused, get, send, whom } from './api/client';
import type { Me } from './api/types';

/** So long the server may take to say who reads, in milliseconds. */
const PATIENCE = 3_000;

class Session {
  /** Undefined until the server has said, null when nobody is signed in. */
  me: Me | null | undefined = $state();
  /** Whether that is what this browser keeps, because the server is out of reach. */
  kept = $state(false);
  /** Called when nobody says who reads. */
  away: () => void = () => {};
  /** Whether a guest's part has ended in this page. */
  wasGuest = $state(false);
  /** Why it cannot be said who reads: the server is out of reach. */
  trouble: string | null = $state(null);

  async look(): Promise<void> {
    const late = setTimeout(this.away, PATIENCE);
    try {
      const me = await get<Me>('/me');
      // Nothing on the page begins anew because the same person was found again.
      const same = this.me?.person.id === me.person.id && this.me.admin === me.admin;
      this.kept = false;
      if (!same || this.me?.session?.id !== me.session?.id) this.me = me;
      this.trouble = null;
      this.wasGuest = false;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.problem.status === 401) {
        // A guest has nothing to sign in with: they are told that it has ended.
        if (this.me?.guest_of != null) this.wasGuest = true;
        this.me = null;
        this.kept = false;
        this.trouble = null;
      } else {
        this.trouble = error.message;
        this.away();
      }
    } finally {
      clearTimeout(late);
    }
  }

  async signOut(): Promise<void> {
    await send('DELETE', '/session');
    if (this.me?.guest_of != null) this.wasGuest = true;
    this.me = null;
  }
}

export const session = new Session();
whom.id = () => session.me?.person.id;
whom.look = () => session.look();
