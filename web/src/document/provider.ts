// Keeps one document like the server's: over a socket that may break, be refused, or sleep for a night.
//
// What is written here goes out at once, and counts as saved when the server has said so, and not before. After a break
// both sides tell each other what they have, and only the rest is sent; so nothing depends on what arrived before it.
import {
  type Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import * as Y from 'yjs';
import { pause } from '../live/pause';
import type { Author, Changed, PartName } from './parts';
import * as wire from './wire';

/** After so long without a word the server is asked for one, in milliseconds. */
const SILENCE = 20_000;
/** How long it may take to answer, and how long after the page woke up: then it need not be polite. */
const ANSWER = 10_000;
const ANSWER_AWAKE = 3_000;
/** The pause when there are too many of us, or nobody can have the document, in milliseconds. */
const REST = 30_000;
/** A connection that stood for so long was a good one, in milliseconds: the next attempt need not wait long. */
const STOOD = 5_000;

/** Why a socket was closed: the server's own codes. */
export const CLOSED = {
  signedOut: 4401,
  notYours: 4403,
  foreignClient: 4409,
  restored: 4410,
  somebodyElse: 4412,
  tooLarge: 4413,
  malformed: 4422,
  tooMany: 4529,
  damaged: 4500,
} as const;

/** Trying again would end the same way. */
const FINAL: number[] = [
  CLOSED.signedOut,
  CLOSED.notYours,
  CLOSED.foreignClient,
  CLOSED.restored,
  CLOSED.somebodyElse,
  CLOSED.tooLarge,
  CLOSED.malformed,
];

/** What the provider needs of a WebSocket. */
export interface Socket {
  binaryType: string;
  readonly protocol: string;
  onopen: (() => void) | null;
  onmessage: ((message: { data: ArrayBuffer }) => void) | null;
  onclose: ((how: { code: number; reason: string }) => void) | null;
  send(bytes: Uint8Array): void;
  close(): void;
}

export type Link =
  | 'connecting'
  /** Both sides have told each other what they have. */
  | 'live'
  /** The connection is gone, and is looked for again. */
  | 'away'
  /** The server does not want it: see `ended`. */
  | 'ended';

/** How it stands between here and the server. */
export interface Standing {
  link: Link;
  /** Whether everything that is here is known to be on the server's disk. */
  saved: boolean;
  /** Whether the server said that one may write; null before it said anything. */
  may: boolean | null;
  /** Why not. */
  why: string;
  /** Why the server cannot take what was written last: there is no room for it. Empty while there is. */
  full: string;
  /** Why the server ended it for good. */
  ended: { code: number; reason: string } | null;
}

export interface Told {
  standing: (now: Standing) => void;
  authors?: (some: Record<string, Author>) => void;
  clock?: (version: number, parts: Partial<Record<PartName, Changed>>) => void;
}

export class Provider {
  #socket: Socket | null = null;
  #link: Link = 'connecting';
  #may: boolean | null = null;
  #why = '';
  #full = '';
  #ended: Standing['ended'] = null;
  /** Something stands here that the server may not have on disk. */
  #behind: boolean;
  /** Something came from this browser's own keeping: whether the server has it shows when both compare. */
  #compare: boolean;
  /** Of this socket: update-carrying messages that went out, and that the server has on disk. */
  #sent = 0;
  #saved = 0;
  /** This socket's server asked for what it lacks, and was answered. */
  #answered = false;
  /** This socket's server told what we lacked. */
  #told = false;
  #failed = 0;
  /** When both sides had told each other what they have, on this socket. */
  #liveSince: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  constructor(
    readonly doc: Y.Doc,
    readonly awareness: Awareness,
    private readonly open: () => Socket,
    private readonly tell: Told,
    /** What this browser kept is in the document already, and whether it knows of words that were not sent. */
    kept: { any: boolean; unsent: boolean } = { any: false, unsent: false },
  ) {
    this.#behind = kept.unsent;
    this.#compare = kept.any;
  }

  get standing(): Standing {
    return {
      link: this.#link,
      saved: !this.#behind,
      may: this.#may,
      why: this.#why,
      full: this.#full,
      ended: this.#ended,
    };
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.doc.on('update', this.#wrote);
    this.awareness.on('update', this.#moved);
    this.#connect();
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.doc.off('update', this.#wrote);
    removeAwarenessStates(this.awareness, [this.doc.clientID], 'leaving');
    this.awareness.off('update', this.#moved);
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** The network is back, or the page woke up: look at once whether the connection still stands, or find another. */
  hurry(): void {
    if (!this.#running || this.#link === 'ended') return;
    if (this.#socket === null) {
      this.#failed = 0;
      this.#connect();
    } else if (this.#answered || this.#told) {
      this.#probe(ANSWER_AWAKE);
    }
  }

  /** The network is gone, the browser says: nothing more is expected of this socket. */
  lost(): void {
    if (this.#socket !== null) this.#broke(null);
  }

  /** Begins anew after the server ended it: somebody signed in again, or the reason is gone. */
  again(): void {
    if (!this.#running) return;
    clearTimeout(this.#timer);
    this.#drop();
    this.#ended = null;
    this.#failed = 0;
    this.#connect();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#link = this.#link === 'away' ? 'away' : 'connecting';
    this.#sent = this.#saved = 0;
    this.#answered = this.#told = false;
    let socket: Socket;
    try {
      socket = this.open();
    } catch {
      return this.#later();
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#heard(new Uint8Array(data));
    socket.onclose = (how) => this.#broke(how);
    // A greeting that is never answered looks like one that takes its time.
    this.#expect(SILENCE);
    this.#say();
  }

  #opened(): void {
    this.#send(wire.step1(Y.encodeStateVector(this.doc)));
    const mine = this.awareness.getLocalState();
    if (mine !== null) this.#sendAwareness([this.doc.clientID]);
  }

  #heard(bytes: Uint8Array): void {
    let heard: wire.Heard;
    try {
      heard = wire.read(bytes);
      this.#take(heard);
    } catch {
      // Half a message is no message: both sides compare anew.
      return this.#broke(null);
    }
    this.#expect(SILENCE, () => this.#probe(ANSWER));
  }

  #take(heard: wire.Heard): void {
    switch (heard.is) {
      case 'step1':
        return this.#answer(heard.vector);
      case 'step2':
        Y.applyUpdate(this.doc, heard.update, this);
        this.#told = true;
        return this.#settle();
      case 'update':
        Y.applyUpdate(this.doc, heard.update, this);
        // It builds on what is not here: the rest is asked for.
        if (this.doc.store.pendingStructs !== null) this.#send(wire.step1(Y.encodeStateVector(this.doc)));
        return;
      case 'awareness':
        return applyAwarenessUpdate(this.awareness, heard.states, this);
      case 'awareness asked':
        return this.#sendAwareness([...this.awareness.getStates().keys()]);
      case 'full':
        this.#full = heard.why;
        return this.#say();
      case 'saved':
        this.#saved = heard.count;
        // It counts only as far as everything before it is there.
        if (this.#saved >= this.#sent) this.#full = '';
        return this.#settle();
      case 'may':
        return this.#allowed(heard.may, heard.why);
      case 'authors':
        return this.tell.authors?.(heard.authors);
      case 'clock':
        return this.tell.clock?.(heard.version, heard.parts);
    }
  }

  /** The server lacks what is not in its vector: it gets that, unless nothing here can be news to it. */
  #answer(vector: Uint8Array): void {
    this.#answered = true;
    if (this.#behind || this.#compare) {
      this.#sent += 1;
      this.#send(wire.step2(Y.encodeStateAsUpdate(this.doc, vector)));
    }
    this.#settle();
  }

  #allowed(may: boolean, why: string): void {
    const again = this.#may === false && may;
    this.#may = may;
    this.#why = why;
    // What was dropped meanwhile goes out again: both sides compare anew.
    if (again && this.#sent > this.#saved) this.again();
    else this.#say();
  }

  /** Everything that went out is on disk, and everything that is here went out: only then is it saved. */
  #settle(): void {
    if (this.#answered && this.#told) {
      this.#link = 'live';
      this.#liveSince ??= Date.now();
    }
    if (this.#answered && this.#saved >= this.#sent) {
      this.#behind = false;
      this.#compare = false;
    }
    this.#say();
  }

  readonly #wrote = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return;
    this.#behind = true;
    // Before the server said what it has, there is nothing to send: the answer to that will hold this too.
    if (this.#answered) {
      this.#sent += 1;
      this.#send(wire.update(update));
    }
    this.#say();
  };

  readonly #moved = (
    changed: { added: number[]; updated: number[]; removed: number[] },
    origin: unknown,
  ): void => {
    if (origin === this) return;
    const mine = [...changed.added, ...changed.updated, ...changed.removed].includes(this.doc.clientID);
    if (mine) this.#sendAwareness([this.doc.clientID]);
  };

  #sendAwareness(clients: number[]): void {
    this.#send(wire.awareness(encodeAwarenessUpdate(this.awareness, clients)));
  }

  #send(bytes: Uint8Array): void {
    try {
      this.#socket?.send(bytes);
    } catch {
      // It is closing: `onclose` follows, and what did not arrive is compared anew.
    }
  }

  /** Something is expected within this time, or the connection is given up. */
  #expect(within: number, otherwise: () => void = () => this.#broke(null)): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(otherwise, within);
  }

  #probe(within: number): void {
    this.#expect(within);
    // Any server answers what it is asked about the document; ours also answers the cheaper question.
    const ours = this.#socket?.protocol === wire.SUBPROTOCOL;
    this.#send(ours ? wire.askAwareness() : wire.step1(Y.encodeStateVector(this.doc)));
  }

  #broke(how: { code: number; reason: string } | null): void {
    if (this.#liveSince !== null && Date.now() - this.#liveSince > STOOD) this.#failed = 0;
    this.#drop();
    if (how !== null && FINAL.includes(how.code)) {
      this.#link = 'ended';
      this.#ended = how;
      return this.#say();
    }
    this.#later(how?.code === CLOSED.tooMany || how?.code === CLOSED.damaged ? REST : 0);
  }

  #later(atLeast = 0): void {
    this.#link = 'away';
    clearTimeout(this.#timer);
    const rest = Math.max(atLeast, pause(this.#failed++, Math.random()));
    this.#timer = setTimeout(() => this.#connect(), rest);
    this.#say();
  }

  /** Lets go of the socket; whatever it still says is not heard. */
  #drop(): void {
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    this.#answered = this.#told = false;
    this.#full = '';
    this.#liveSince = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    const others = [...this.awareness.getStates().keys()].filter((client) => client !== this.doc.clientID);
    removeAwarenessStates(this.awareness, others, this);
  }

  #say(): void {
    if (this.#running) this.tell.standing(this.standing);
  }
}
