// What happens, as it happens, in this tab: passed on by the worker that all tabs share, or read by the tab itself
// where there is no such worker.
import { clock } from '../api/clock.svelte';
import type { Entry } from '../api/types';
import { StreamReader, type State, type Told } from './reader';
import type { Asked } from './worker';

/** How long the worker may take to say its first word, in milliseconds. */
const START = 5_000;

class Live {
  state: State = $state('connecting');
  /** When anything was last heard from the server, by the server's clock. */
  lastSeen: Date | null = $state(null);
  /** Called when the server no longer knows who reads. */
  onSignedOut: () => void = () => {};

  #entryListeners = new Set<(entry: Entry) => void>();
  #gapListeners = new Set<() => void>();
  #ask: ((asked: Asked) => void) | null = null;
  #person: string | null = null;

  constructor() {
    addEventListener('online', () => this.#ask?.({ ask: 'hurry' }));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#ask?.({ ask: 'hurry' });
    });
    addEventListener('pagehide', () => this.#ask?.({ ask: 'close' }));
    // The browser brought the tab back as it was: what happened meanwhile is missing.
    addEventListener('pageshow', (event) => {
      if (event.persisted && this.#person !== null) this.#ask?.({ ask: 'open', person: this.#person });
    });
  }

  /** Calls back for every entry, until the returned function is called. */
  onEntry(listener: (entry: Entry) => void): () => void {
    this.#entryListeners.add(listener);
    return () => this.#entryListeners.delete(listener);
  }

  /** Calls back when entries may have been missed: read anew. */
  onGap(listener: () => void): () => void {
    this.#gapListeners.add(listener);
    return () => this.#gapListeners.delete(listener);
  }

  /** Follows as this person. */
  follow(person: string): void {
    this.#person = person;
    this.#ask ??= this.#shared() ?? this.#alone();
    this.#ask({ ask: 'open', person });
  }

  leave(): void {
    this.#person = null;
    this.state = 'connecting';
    this.#ask?.({ ask: 'close' });
  }

  #shared(): ((asked: Asked) => void) | null {
    if (typeof SharedWorker === 'undefined') return null;
    try {
      const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), {
        type: 'module',
        name: 'wardroom-live',
      });
      const ask = (asked: Asked) => worker.port.postMessage(asked);
      // A worker that does not start, for whatever reason: this tab reads for itself.
      const giveUp = () => {
        clearTimeout(patience);
        worker.port.onmessage = null;
        ask({ ask: 'close' });
        this.#ask = this.#alone();
        if (this.#person !== null) this.#ask({ ask: 'open', person: this.#person });
      };
      const patience = setTimeout(giveUp, START);
      worker.onerror = giveUp;
      worker.port.onmessage = ({ data }: MessageEvent<Told>) => {
        clearTimeout(patience);
        this.#told(data);
      };
      return ask;
    } catch {
      return null;
    }
  }

  #alone(): (asked: Asked) => void {
    const reader = new StreamReader((told) => this.#told(told));
    let reading: string | null = null;
    return (asked) => {
      if (asked.ask === 'hurry') return reader.hurry();
      const person = asked.ask === 'open' ? asked.person : null;
      if (person !== reading) reader.stop(true);
      reading = person;
      if (person !== null) reader.start();
    };
  }

  #told(told: Told): void {
    if (this.#person === null) return;
    if (told.tell === 'entry') {
      for (const listener of this.#entryListeners) listener(told.entry);
    } else if (told.tell === 'gap') {
      for (const listener of this.#gapListeners) listener();
    } else if (told.tell === 'signed-out') {
      this.onSignedOut();
    } else {
      this.state = told.state;
      this.lastSeen = told.seen === null ? null : clock.at(told.seen);
    }
  }
}

export const live = new Live();
