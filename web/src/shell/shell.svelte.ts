// What is open over or beside the page, and what failed in the bar: one thing at a time.
import { Refused } from '../api/client';
import { session } from '../session.svelte';

class Shell {
  open: 'declare' | 'palette' | 'keys' | 'passkeys' | null = $state(null);
  /** Why signing out did not work. */
  trouble: string | null = $state(null);

  async signOut(): Promise<void> {
    this.trouble = null;
    try {
      await session.signOut();
      this.open = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.message;
    }
  }
}

export const shell = new Shell();
