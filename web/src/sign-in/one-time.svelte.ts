// A link whose secret stands in the fragment of the address, which is sent to no server: what the server says it is good
// for, and what came of coming in by it.
import { Refused, send } from '../api/client';

export class OneTime<Link> {
  secret = $state('');
  /** What it is good for, once the server has said so. */
  link: Link | null = $state.raw(null);
  /** Why it is good for nothing. */
  refused: Refused | null = $state.raw(null);
  busy = $state(false);
  /** What went wrong with coming in, and can be tried again. */
  trouble: string | null = $state(null);
  /** Trying again would end the same way. */
  readonly dead = $derived(
    this.refused !== null && this.refused.problem.status >= 400 && this.refused.problem.status < 429,
  );

  /** The secret goes to `path` in the body of a POST, and nowhere else. */
  constructor(private readonly path: string) {
    void this.look();
  }

  readonly look = async (): Promise<void> => {
    this.secret = location.hash.slice(1);
    this.link = null;
    this.refused = null;
    if (this.secret === '') return;
    try {
      this.link = await send<Link>('POST', `${this.path}/look`, { secret: this.secret });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refused = error;
    }
  };

  /** Comes in by it, saying this beside the secret, and does then what is to be done. */
  async enter<Answer>(said: Record<string, unknown>, then: (answer: Answer) => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.trouble = null;
    try {
      await then(await send<Answer>('POST', this.path, { secret: this.secret, ...said }));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.problem.status === 410 || error.problem.status === 404) this.refused = error;
      else this.trouble = error.message;
    } finally {
      this.busy = false;
    }
  }
}
