// What is open over or beside the page, and what failed in the bar: one thing at a time.
import { Refused } from '../api/client';
import { session } from '../session.svelte';
import { menu } from './menu';

class Shell {
  open: 'declare' | 'palette' | 'keys' | 'passkeys' | null = $state(null);
  /** Why signing out did not work. */
  trouble: string | null = $state(null);

  async signOut(): Promise<void> {
    this.trouble = null;
    const kept = await import('../document/leave').catch(() => null);
    this.trouble = (await kept?.warning(session.me?.person.id ?? '')) ?? null;
    if (this.trouble) return;
    // Fetched while there is somebody to fetch it for.
    const piece = await menu().catch(() => null);
    try {
      await session.signOut();
      kept?.forget();
      this.open = null;
      await piece?.leave().catch(() => {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }
}

export const shell = new Shell();
