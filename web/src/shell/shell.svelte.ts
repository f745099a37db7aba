// What is open over or beside the page, and what failed in the bar: one thing at a time.
import { Refused } from '../api/client';
import { session } from '../session.svelte';

class Shell {
  open: 'declare' | 'palette' | 'keys' | 'passkeys' | null = $state(null);
  /** Why signing out did not work. */
  trouble: string | null = $state(null);

  async signOut(): Promise<void> {
    this.trouble = null;
    const kept = await import('../document/leave').catch(() => null);
    this.trouble = (await kept?.warning(session.me?.person.id ?? '')) ?? null;
    if (this.trouble) return;
    try {
      await session.signOut();
      kept?.forget();
      this.open = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }
}

export const shell = new Shell();
