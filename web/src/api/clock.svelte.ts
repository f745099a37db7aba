// The time as the server has it: a browser whose clock is an hour off still shows right ages.
import { ahead } from './skew';

class Clock {
  now: Date = $state(new Date());
  /** How far the server's clock is ahead of this machine's, in milliseconds. */
  ahead = 0;

  constructor() {
    setInterval(() => this.#tick(), 1_000);
    // A page that comes back into view must not show, even for a second, how late it was when it left.
    document.addEventListener('visibilitychange', () => this.#tick());
  }

  /** An answer came with this Date header. */
  heard(header: string | null, sent: number, received: number): void {
    this.believe(ahead(this.ahead, header, sent, received));
  }

  /** The server's clock is so far ahead, in milliseconds. */
  believe(ahead: number): void {
    if (this.ahead === ahead) return;
    this.ahead = ahead;
    this.#tick();
  }

  /** A moment by the browser's clock, corrected. */
  at(local: number): Date {
    return new Date(local + this.ahead);
  }

  #tick(): void {
    this.now = this.at(Date.now());
  }
}

export const clock = new Clock();
