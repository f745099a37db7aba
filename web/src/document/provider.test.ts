// A document and its server, which breaks, sleeps, refuses and forgets; both sides are real Yjs documents.
import * as encoding from 'lib0/encoding';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { CLOSED, Provider, type Socket, type Standing } from './provider';
import * as wire from './wire';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const saved = (count: number): Uint8Array => {
  const to = encoding.createEncoder();
  encoding.writeVarUint(to, 100);
  encoding.writeVarUint(to, count);
  return encoding.toUint8Array(to);
};
const mayWrite = (may: boolean, why = ''): Uint8Array => {
  const to = encoding.createEncoder();
  encoding.writeVarUint(to, 101);
  encoding.writeVarUint(to, may ? 1 : 0);
  encoding.writeVarString(to, why);
  return encoding.toUint8Array(to);
};
const full = (why: string): Uint8Array => {
  const to = encoding.createEncoder();
  encoding.writeVarUint(to, 104);
  encoding.writeVarString(to, why);
  return encoding.toUint8Array(to);
};

/** A server that does at once what it is told, except where a test says otherwise. */
class Server {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  readonly lines = new Set<Line>();
  /** Answers greetings; a server that is gone does not. */
  up = true;
  /** Puts on disk what it gets, and says so. */
  saves = true;
  may = true;
  /** Says nothing at all, on connections that stand. */
  mute = false;
  attempts = 0;

  readonly dial = (): Socket => {
    this.attempts += 1;
    const line = new Line(this);
    this.lines.add(line);
    queueMicrotask(() => (this.up ? line.greet() : line.end(1006, '')));
    return line;
  };

  /** Every connection ends. */
  cut(code = 1006, reason = ''): void {
    for (const line of this.lines) line.end(code, reason);
  }

  broadcast(update: Uint8Array, except: Line): void {
    for (const line of this.lines) if (line !== except) line.say(wire.update(update));
  }
}

class Line implements Socket {
  binaryType = '';
  readonly protocol = wire.SUBPROTOCOL;
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  #carried = 0;
  #open = false;
  heard: wire.Heard[] = [];

  constructor(private readonly server: Server) {}

  greet(): void {
    this.#open = true;
    this.onopen?.();
    this.say(mayWrite(this.server.may));
    this.say(wire.step1(Y.encodeStateVector(this.server.doc)));
  }

  say(bytes: Uint8Array): void {
    if (this.#open && !this.server.mute) this.onmessage?.({ data: bytes.slice().buffer });
  }

  /** What arrived so far is on disk. */
  acknowledge(): void {
    this.say(saved(this.#carried));
  }

  send(bytes: Uint8Array): void {
    if (!this.#open) throw new Error('not open yet, or not any more');
    const heard = wire.read(bytes);
    this.heard.push(heard);
    if (heard.is === 'step1') this.say(wire.step2(Y.encodeStateAsUpdate(this.server.doc, heard.vector)));
    if (heard.is === 'awareness') applyAwarenessUpdate(this.server.awareness, heard.states, this);
    if (heard.is === 'awareness asked')
      this.say(wire.awareness(encodeAwarenessUpdate(this.server.awareness, [])));
    if (heard.is !== 'step2' && heard.is !== 'update') return;
    if (!this.server.may) return this.say(mayWrite(false, 'You only read here.'));
    this.#carried += 1;
    Y.applyUpdate(this.server.doc, heard.update);
    this.server.broadcast(heard.update, this);
    if (this.server.saves) this.acknowledge();
  }

  close(): void {
    this.#open = false;
    this.server.lines.delete(this);
  }

  end(code: number, reason: string): void {
    const { onclose } = this;
    this.close();
    onclose?.({ code, reason });
  }
}

interface Peer {
  doc: Y.Doc;
  provider: Provider;
  said: Standing[];
  write: (words: string) => void;
  words: () => string;
}

function peer(server: Server, doc = new Y.Doc(), kept = { any: false, unsent: false }): Peer {
  const said: Standing[] = [];
  const provider = new Provider(
    doc,
    new Awareness(doc),
    server.dial,
    { standing: (now) => said.push(now) },
    kept,
  );
  const text = doc.getText('notes');
  return {
    doc,
    provider,
    said,
    write: (words) => text.insert(text.length, words),
    words: () => text.toString(),
  };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const wait = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);

test('what one writes the other reads, and it is saved when the server has it on disk', async () => {
  const server = new Server();
  server.saves = false;
  const [one, other] = [peer(server), peer(server)];
  one.provider.start();
  other.provider.start();
  await settle();
  expect(one.provider.standing).toMatchObject({ link: 'live', saved: true, may: true });
  one.write('First cluster warm.');
  expect(other.words()).toBe('First cluster warm.');
  expect(one.provider.standing.saved).toBe(false);
  const [line] = server.lines;
  line!.acknowledge();
  expect(one.provider.standing.saved).toBe(true);
});

test('it is not saved as long as one of several updates is not', async () => {
  const server = new Server();
  server.saves = false;
  const one = peer(server);
  one.provider.start();
  await settle();
  const [line] = server.lines;
  one.write('a');
  const before = line!;
  before.say(saved(1));
  one.write('b');
  one.write('c');
  before.say(saved(2));
  expect(one.provider.standing.saved).toBe(false);
  before.say(saved(3));
  expect(one.provider.standing.saved).toBe(true);
});

test('what was on its way when the line broke is sent again, and is there once', async () => {
  const server = new Server();
  server.saves = false;
  const one = peer(server);
  one.provider.start();
  await settle();
  one.write('once');
  server.cut();
  expect(one.provider.standing).toMatchObject({ link: 'away', saved: false });
  one.write(' and again');
  server.saves = true;
  await wait(20_000);
  expect(one.provider.standing).toMatchObject({ link: 'live', saved: true });
  expect(server.doc.getText('notes').toString()).toBe('once and again');
});

test('while the connection is gone both write on, and afterwards all have everything', async () => {
  const server = new Server();
  const [one, other] = [peer(server), peer(server)];
  one.provider.start();
  other.provider.start();
  await settle();
  one.write('common. ');
  server.up = false;
  server.cut();
  one.write('[one]');
  other.write('[other]');
  await wait(60_000);
  expect(one.provider.standing).toMatchObject({ link: 'away', saved: false });
  server.up = true;
  await wait(20_000);
  for (const words of [one.words(), other.words(), server.doc.getText('notes').toString()]) {
    expect(words).toBe(one.words());
    expect(words.replace(/\[one\]|\[other\]/g, '')).toBe('common. ');
    expect(words).toHaveLength('common. [one][other]'.length);
  }
});

test('attempts grow rarer, never rarer than every twelve seconds, and a hurry ends the pause', async () => {
  const server = new Server();
  server.up = false;
  const one = peer(server);
  one.provider.start();
  await wait(60_000);
  const first = server.attempts;
  expect(first).toBeLessThan(14);
  await wait(120_000);
  const rate = server.attempts - first;
  expect(rate).toBeGreaterThanOrEqual(9);
  expect(rate).toBeLessThanOrEqual(16);
  server.up = true;
  const before = server.attempts;
  one.provider.hurry();
  await settle();
  expect(server.attempts).toBe(before + 1);
  expect(one.provider.standing.link).toBe('live');
});

test('a server that falls silent is asked, and left when it does not answer', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  await settle();
  await wait(120_000);
  expect(server.attempts, 'it answers, and the connection stands').toBe(1);
  server.mute = true;
  await wait(31_000);
  expect(one.provider.standing.link).toBe('away');
});

test('after a sleep it takes three seconds to find that the connection is dead', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  await settle();
  server.mute = true;
  one.write('written before anybody noticed');
  one.provider.hurry();
  await wait(2_900);
  expect(one.provider.standing.link).toBe('live');
  server.mute = false;
  await wait(1_000);
  expect(one.provider.standing).toMatchObject({ link: 'live', saved: true });
  expect(server.attempts).toBe(2);
});

test('what this browser kept is compared with the server before anything is called saved', async () => {
  const server = new Server();
  server.saves = false;
  const before = new Y.Doc();
  before.getText('notes').insert(0, 'kept here');
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(before));
  const one = peer(server, doc, { any: true, unsent: true });
  one.provider.start();
  expect(one.provider.standing.saved).toBe(false);
  await settle();
  expect(server.doc.getText('notes').toString()).toBe('kept here');
  expect(one.provider.standing.saved).toBe(false);
  const [line] = server.lines;
  line!.acknowledge();
  expect(one.provider.standing.saved).toBe(true);
});

test('what there is no room for is said, until it is on disk', async () => {
  const server = new Server();
  server.saves = false;
  const one = peer(server);
  one.provider.start();
  await settle();
  one.write('too much');
  const [line] = server.lines;
  line!.say(full('A part is full.'));
  expect(one.provider.standing).toMatchObject({ link: 'live', saved: false, full: 'A part is full.' });
  line!.say(wire.step1(Y.encodeStateVector(new Y.Doc())));
  line!.acknowledge();
  expect(one.provider.standing).toMatchObject({ saved: true, full: '' });
});

test('whoever may not write is told why, and what they wrote goes out once they may', async () => {
  const server = new Server();
  server.may = false;
  const one = peer(server);
  one.provider.start();
  await settle();
  expect(one.provider.standing).toMatchObject({ link: 'live', may: false, saved: true });
  const [line] = server.lines;
  expect(line!.heard.some(({ is }) => is === 'step2' || is === 'update')).toBe(false);
  // Written while the incident was closed under their hands.
  one.write('too late?');
  expect(one.provider.standing).toMatchObject({ may: false, why: 'You only read here.', saved: false });
  expect(server.doc.getText('notes').toString()).toBe('');
  server.may = true;
  line!.say(mayWrite(true));
  await settle();
  expect(server.doc.getText('notes').toString()).toBe('too late?');
  expect(one.provider.standing).toMatchObject({ link: 'live', saved: true, may: true });
});

test.each([
  CLOSED.signedOut,
  CLOSED.notYours,
  CLOSED.foreignClient,
  CLOSED.restored,
  CLOSED.somebodyElse,
  CLOSED.tooLarge,
  CLOSED.malformed,
])('after %i nothing is tried again by itself, and what is written here stays', async (code) => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  await settle();
  server.saves = false;
  one.write('words');
  server.cut(code, 'a sentence');
  await wait(120_000);
  expect(server.attempts).toBe(1);
  expect(one.provider.standing).toMatchObject({
    link: 'ended',
    saved: false,
    ended: { code, reason: 'a sentence' },
  });
  one.provider.hurry();
  await settle();
  expect(server.attempts).toBe(1);
  server.saves = true;
  one.provider.again();
  await settle();
  expect(one.provider.standing).toMatchObject({ link: 'live', saved: true });
});

test('a server that throws us out again and again is not stormed', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  for (let second = 0; second < 60; second += 1) {
    await wait(1_000);
    server.cut(4524, 'dependencies are missing');
  }
  expect(server.attempts).toBeLessThan(16);
});

test('where too many are connected it is tried again after half a minute', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  await settle();
  server.cut(CLOSED.tooMany, 'too many windows');
  await wait(29_000);
  expect(server.attempts).toBe(1);
  await wait(10_000);
  expect(one.provider.standing.link).toBe('live');
});

test('what is garbled ends the connection, and the next one heals it', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  await settle();
  const [line] = server.lines;
  line!.say(new Uint8Array([0, 2, 200]));
  expect(one.provider.standing.link).toBe('away');
  server.doc.getText('notes').insert(0, 'missed');
  await wait(2_000);
  expect(one.words()).toBe('missed');
});

test('an update that builds on one that got lost has the rest asked for', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  await settle();
  const updates: Uint8Array[] = [];
  server.doc.on('update', (update: Uint8Array) => updates.push(update));
  server.doc.getText('notes').insert(0, 'first, ');
  server.doc.getText('notes').insert(7, 'second');
  const [line] = server.lines;
  line!.say(wire.update(updates[1]!));
  expect(one.words()).toBe('first, second');
});

test('others see who is here, and no longer when they leave', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.awareness.setLocalStateField('user', { name: 'Marty' });
  one.provider.start();
  await settle();
  expect(server.awareness.getStates().get(one.doc.clientID)).toEqual({ user: { name: 'Marty' } });
  one.provider.stop();
  expect(server.awareness.getStates().has(one.doc.clientID)).toBe(false);
});

test('one that was stopped neither says nor tries anything more', async () => {
  const server = new Server();
  const one = peer(server);
  one.provider.start();
  await settle();
  one.provider.stop();
  const { length } = one.said;
  one.write('nobody listens');
  server.cut();
  await wait(60_000);
  expect(one.said).toHaveLength(length);
  expect(server.attempts).toBe(1);
});
