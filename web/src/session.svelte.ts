// Who the reader is, as the server sees it.
import { Refused, get } from './api/client';
import type { Me } from './api/types';

class Session {
  /** Undefined until the server has said, null when nobody is signed in. */
  me: Me | null | undefined = $state();
  /** Why it cannot be said who reads: the server is out of reach. */
  trouble: string | null = $state(null);

  async look(): Promise<void> {
    try {
      this.me = await get<Me>('/me');
      this.trouble = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.problem.status === 401) {
        this.me = null;
        this.trouble = null;
      } else {
        this.trouble = error.message;
      }
    }
  }
}

export const session = new Session();
