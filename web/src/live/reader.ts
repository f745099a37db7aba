// Reads the event stream, and goes on where it stopped after any break. It runs in the shared worker, or in the
// tab itself where there is none, so it touches neither the document nor Svelte.
import type { Entry } from '../api/types';
import { pause } from './pause';
import { Parser } from './sse';

export type State = 'connecting' | 'live' | 'reconnecting';

/** What the reader tells, and what the worker passes on to every tab. */
export type Told =
  /** `seen` is when anything was last heard, by the clock of this machine. */
  | { tell: 'state'; state: State; seen: number | null }
  | { tell: 'entry'; entry: Entry }
  /** Entries may be missing before this point: whatever was read earlier has to be read anew. */
  | { tell: 'gap' }
  /** The server does not know who reads. Nothing is read until somebody signs in. */
  | { tell: 'signed-out' };

/** A healthy stream says something every 15 seconds; after this long without a word it is given up. */
const SILENCE = 40_000;
// Drills too: their rooms are as live as any other. Who looks at them decides what to show.
const STREAM = '/api/v1/events?drills=true';

export class StreamReader {
  state: State = 'connecting';
  seen: number | null = null;
  #cursor: string | null = null;
  #failed = 0;
  #stop: AbortController | null = null;
  #wake: (() => void) | null = null;

  constructor(
    private readonly tell: (told: Told) => void,
    private readonly fetched: typeof fetch = (...asked) => fetch(...asked),
  ) {}

  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    this.#say(this.seen === null ? 'connecting' : 'reconnecting');
    void this.#run(this.#stop.signal);
  }

  /** `forget` also forgets where it stopped: the next reader is somebody else. */
  stop(forget = false): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#wake?.();
    if (forget) {
      this.#cursor = null;
      this.seen = null;
    }
  }

  /** The network is back, or somebody looks: the pause before the next attempt ends now. */
  hurry(): void {
    this.#failed = 0;
    this.#wake?.();
  }

  async #run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const attempt = new AbortController();
      const end = () => attempt.abort();
      stop.addEventListener('abort', end);
      const go = await this.#connect(attempt).catch(() => 'again' as const);
      stop.removeEventListener('abort', end);
      if (stop.aborted) return;
      if (go === 'stop') {
        this.#stop = null;
        return;
      }
      this.#say(this.seen === null ? 'connecting' : 'reconnecting');
      if (go === 'at once') continue;
      await this.#rest(pause(this.#failed++, Math.random()));
    }
  }

  async #connect(attempt: AbortController): Promise<'again' | 'at once' | 'stop'> {
    let watchdog = setTimeout(() => attempt.abort(), SILENCE);
    try {
      const after = this.#cursor === null ? '' : `&after=${encodeURIComponent(this.#cursor)}`;
      const answer = await this.fetched(STREAM + after, {
        signal: attempt.signal,
        cache: 'no-store',
        headers: { accept: 'text/event-stream' },
      });
      if (answer.status === 401) {
        this.tell({ tell: 'signed-out' });
        return 'stop';
      }
      if (answer.status === 410 && this.#cursor !== null) {
        // The history that the cursor belongs to was replaced by a backup.
        this.#cursor = null;
        return 'at once';
      }
      if (!answer.ok || !answer.body) return 'again';
      this.#heard();
      this.#failed = 0;
      this.#say('live');
      if (this.#cursor === null) this.tell({ tell: 'gap' });
      const parser = new Parser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 'again';
        clearTimeout(watchdog);
        watchdog = setTimeout(() => attempt.abort(), SILENCE);
        this.#heard();
        for (const sent of parser.take(value)) this.#pass(sent);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #pass(sent: { id: string | null; event: string; data: string }): void {
    if (sent.event === 'entry') {
      try {
        this.tell({ tell: 'entry', entry: JSON.parse(sent.data) as Entry });
      } catch {
        // What cannot be read cannot be shown, but the view that it belongs to can be read anew.
        this.tell({ tell: 'gap' });
      }
    }
    this.#cursor = sent.id ?? this.#cursor;
  }

  #heard(): void {
    this.seen = Date.now();
  }

  #say(state: State): void {
    this.state = state;
    this.tell({ tell: 'state', state, seen: this.seen });
  }

  #rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#wake = done;
    });
  }
}
