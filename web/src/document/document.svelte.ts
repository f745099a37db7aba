// The document of one incident as this window has it: its text, how it stands with the server and with what this
// browser keeps, who else is in it, and whose each stretch is.
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { colour } from '../parts/face';
import { session } from '../session.svelte';
import { type Before, before, forget, markdown } from './before';
import { type Place, forgetOthers } from './database';
import { Kept } from './kept';
import { type Cursor, placeOf } from './others';
import { type Author, type Changed, PARTS, type PartName } from './parts';
import { CLOSED, Provider, type Socket, type Standing } from './provider';
import type { Keeping } from './saying';
import { SUBPROTOCOL } from './wire';

/** How often it is written down that it is still open, in milliseconds. */
const NOTED = 60 * 60_000;
/** How long this browser may take to find what it keeps, in milliseconds. */
const FINDING = 2_000;
/** After so long, what is not saved is worth a word, in milliseconds. */
const SLOW = 1_500;
/** For editors of others, which know no style sheet of ours: by the number of a face. */
const COLOURS = ['#3b5b92', '#a65428', '#2f7d46', '#7a4ca8', '#8a7200', '#1f7f88'];

const KEPT = 'what this browser kept';

/** Somebody who has the document open. */
export interface Present {
  id: string;
  name: string;
  /** Where their cursor is. */
  part: PartName | null;
}

export class LiveDocument {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  standing: Standing = $state.raw({
    link: 'connecting',
    saved: true,
    may: null,
    why: '',
    full: '',
    ended: null,
  });
  /** This browser has never read it: what stands here is not what stands there. */
  unread = $state(false);
  keeping: Keeping = $state('opening');
  /** Something has not been saved for longer than a blink. */
  slow = $state(false);
  /** Whose the client ids of the document are. */
  authors: Record<string, Author> = $state.raw({});
  clock: Partial<Record<PartName, Changed>> = $state.raw({});
  /** Which version of it stands here, once this window has had it from the server. */
  version = $state(0);
  /** What the server told last: what stands here, once both have told each other what they have. */
  #newest = 0;
  /** Parts that were written in here, since this window opened. */
  wrote: PartName[] = $state.raw([]);
  /** Those of them in which something is not known to be saved. */
  unsaved: PartName[] = $state.raw([]);
  /** What was written here before the server was restored, and never reached it. */
  before: Before[] = $state.raw([]);
  /** The others, each once. */
  present: Present[] = $state.raw([]);

  #provider: Provider | null = null;
  #kept: Kept | null = null;
  /** Client ids with a mark that something of theirs was not sent. */
  readonly #unsent = new Set<number>();
  #slowly: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  /** What will still write something here. */
  readonly #under: Set<Promise<unknown>> = new Set();

  constructor(readonly place: Place) {
    // A `Y.Text` is one from the beginning, whoever writes first.
    for (const part of PARTS) this.doc.getText(part);
    const person = session.me?.person;
    this.awareness.setLocalStateField('user', {
      id: place.person,
      name: person?.name.slice(0, 100) ?? '',
      color: COLOURS[colour(place.person) - 1],
    });
    this.awareness.on('change', () => (this.present = this.#others()));
  }

  text(part: PartName): Y.Text {
    return this.doc.getText(part);
  }

  /** How somebody is called who writes with this client. What they say of themselves counts where the server does not. */
  readonly who = (client: number, state: Record<string, unknown>): { id: string; name: string } => {
    const known = this.authors[client];
    if (known) return known;
    const { id, name } = (state['user'] ?? {}) as { id?: unknown; name?: unknown };
    return {
      id: typeof id === 'string' ? id : String(client),
      name: typeof name === 'string' && name ? name.slice(0, 100) : 'somebody',
    };
  };

  readonly authorOf = (client: number): Author | null => this.authors[client] ?? null;

  /** Opens it, until the returned function is called. */
  open(): () => void {
    void this.#begin();
    // Another window's looking through what is kept must not take what is open here for long gone.
    const still = setInterval(() => {
      if (!this.unread) this.#note();
    }, NOTED);
    const hurry = (): void => this.#provider?.hurry();
    const looks = (): void => {
      if (document.visibilityState === 'visible') hurry();
    };
    const lost = (): void => this.#provider?.lost();
    const leaving = (event: BeforeUnloadEvent): void => {
      // What this browser keeps is not lost with the window.
      if (!this.standing.saved && this.keeping !== 'kept') event.preventDefault();
    };
    addEventListener('online', hurry);
    addEventListener('offline', lost);
    addEventListener('pageshow', hurry);
    addEventListener('beforeunload', leaving);
    document.addEventListener('visibilitychange', looks);
    document.addEventListener('resume', hurry);
    const close = (): void => {
      removeEventListener('online', hurry);
      removeEventListener('offline', lost);
      removeEventListener('pageshow', hurry);
      removeEventListener('beforeunload', leaving);
      document.removeEventListener('visibilitychange', looks);
      document.removeEventListener('resume', hurry);
      clearTimeout(this.#slowly);
      clearInterval(still);
      this.#provider?.stop();
      this.#kept?.close();
      this.awareness.destroy();
      this.doc.destroy();
    };
    return () => {
      this.#ended = true;
      // Nobody looks at it any more; what was begun here still finds its text, and a way to the server.
      if (this.#under.size === 0) close();
      else void Promise.allSettled(this.#under).then(close);
    };
  }

  /** Stays open until this is done, which will write something here: the server may take its time. */
  holding<T>(act: Promise<T>): Promise<T> {
    this.#under.add(act);
    void act.catch(() => undefined).then(() => this.#under.delete(act));
    return act;
  }

  /** The connection may be back: somebody else heard from the server. */
  hurry(): void {
    this.#provider?.hurry();
  }

  /** After the server ended it: once more. */
  again(): void {
    this.#provider?.again();
  }

  /** What people wrote, part by part, as this window has it. */
  markdown(): string {
    return markdown(this.doc);
  }

  /** Throws away what was written before the server was restored. */
  async forgetBefore({ place }: Before): Promise<void> {
    await forget(place);
    this.before = await before(this.place);
  }

  /** Forgets what this browser keeps of it. */
  async forget(): Promise<void> {
    const kept = this.#kept;
    // What is still written here is thrown away as well.
    this.#kept = null;
    await kept?.forget().catch(() => undefined);
    kept?.close();
  }

  async #begin(): Promise<void> {
    const found = await this.#find();
    if (this.keeping === 'kept')
      void before(this.place).then(
        (found) => (this.before = found),
        () => undefined,
      );
    if (this.#ended) return this.#kept?.close();
    this.doc.on('update', (update: Uint8Array, origin: unknown) => this.#keep(update, origin));
    this.doc.on('afterTransaction', (change: Y.Transaction) => this.#noticed(change));
    this.#provider = new Provider(
      this.doc,
      this.awareness,
      () => dial(this.place),
      {
        standing: (now) => this.#stands(now),
        authors: (some) => {
          this.authors = { ...this.authors, ...some };
          this.present = this.#others();
          this.#note();
        },
        clock: (version, parts) => {
          this.#newest = version;
          this.#reached();
          this.clock = { ...this.clock, ...parts };
          this.#note();
        },
      },
      { any: found > 0, unsent: this.#unsent.size > 0 },
    );
    this.#provider.start();
  }

  /** Reads what this browser kept. How many pieces there were. */
  async #find(): Promise<number> {
    try {
      const finding = this.#read();
      // One that does not answer must not keep anybody from writing.
      const late = new Promise<never>((_, no) => setTimeout(() => no(new Error('late')), FINDING));
      late.catch(() => undefined);
      const found = await Promise.race([finding, late]);
      this.keeping = 'kept';
      return found;
    } catch {
      this.keeping = 'forbidden';
      return 0;
    }
  }

  async #read(): Promise<number> {
    await forgetOthers(this.place.person);
    const kept = await Kept.open(this.place);
    const { updates, unsent, about } = await kept.read();
    if (this.#ended || this.keeping === 'forbidden') {
      kept.close();
      return 0;
    }
    this.#kept = kept;
    for (const update of updates) Y.applyUpdate(this.doc, update, KEPT);
    for (const client of unsent) this.#unsent.add(client);
    this.authors = (about?.authors ?? {}) as Record<string, Author>;
    this.unread = updates.length === 0 && about === null;
    this.clock = (about?.clock ?? {}) as Partial<Record<PartName, Changed>>;
    // It is opened now; of one that was never read there is nothing to say yet.
    if (!this.unread) this.#note();
    return updates.length;
  }

  #keep(update: Uint8Array, origin: unknown): void {
    if (this.#kept === null || origin === KEPT) return;
    const mine = origin !== this.#provider;
    if (mine) this.#unsent.add(this.doc.clientID);
    this.#kept.write(update, mine ? this.doc.clientID : null).then(
      () => (this.keeping = 'kept'),
      () => (this.keeping = 'full'),
    );
  }

  /** What is known beside the text, for whoever opens it without a server. */
  #note(): void {
    this.#kept?.about({ authors: this.authors, clock: this.clock }).catch(() => undefined);
  }

  #noticed({ origin, changed }: Y.Transaction): void {
    if (origin === this.#provider || origin === KEPT) return;
    const parts = PARTS.filter((part) => changed.has(this.text(part) as never));
    this.wrote = withAll(this.wrote, parts);
    this.unsaved = withAll(this.unsaved, parts);
  }

  #stands(now: Standing): void {
    const before = this.standing;
    this.standing = now;
    if (now.link === 'live') this.unread = false;
    this.#reached();
    if (now.saved) {
      clearTimeout(this.#slowly);
      this.#slowly = undefined;
      this.slow = false;
      if (this.unsaved.length > 0) this.unsaved = [];
    } else {
      this.#slowly ??= setTimeout(() => (this.slow = true), SLOW);
    }
    if (now.saved && now.link === 'live' && this.#unsent.size > 0) {
      const clients = [...this.#unsent];
      this.#unsent.clear();
      this.#kept?.sent(clients, () => this.standing.saved).catch(() => undefined);
    }
    const { code } = now.ended ?? {};
    if ((code === CLOSED.signedOut || code === CLOSED.somebodyElse) && before.ended === null)
      void session.look();
  }

  /** What the server told of is all here, once a connection stands: it says so after what it tells of. */
  #reached(): void {
    if (this.standing.link === 'live') this.version = this.#newest;
  }

  #others(): Present[] {
    const found = new Map<string, Present>();
    for (const [client, state] of this.awareness.getStates()) {
      const { id, name } = this.who(client, state);
      if (client === this.awareness.clientID || id === this.place.person) continue;
      const cursor = state['cursor'] as Cursor | null | undefined;
      const part = cursor ? (PARTS.find((one) => placeOf(cursor, this.text(one)) !== null) ?? null) : null;
      // Somebody with two windows is where they write.
      if (part !== null || !found.has(id)) found.set(id, { id, name, part });
    }
    return [...found.values()];
  }
}

/** The same list, where nothing is new. */
function withAll(parts: PartName[], more: PartName[]): PartName[] {
  return more.every((part) => parts.includes(part)) ? parts : [...new Set([...parts, ...more])];
}

function dial({ incident, epoch, person }: Place): Socket {
  // A browser that knows that it is offline is right.
  if (!navigator.onLine) throw new Error('offline');
  const address = new URL(`/api/v1/incidents/${incident}/document`, location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  // Of another log nothing is mixed into this one.
  address.searchParams.set('epoch', epoch);
  // Nor are words sent as those of whoever else is signed in here by now.
  address.searchParams.set('as', person);
  return new WebSocket(address, SUBPROTOCOL) as unknown as Socket;
}
