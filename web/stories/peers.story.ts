// Clients of others: the stock `y-websocket` from npm, in Node, writes with our own page's protocol over the same server.
import { afterEach, expect, test } from 'vitest';
import WebSocket, { type ClientOptions } from 'ws';
import { Awareness } from 'y-protocols/awareness';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { CLOSED, Provider, type Socket } from '../src/document/provider';
import { SUBPROTOCOL } from '../src/document/wire';
import { House, STORES, type Store } from './house';
import { PATIENCE, type Tokens, bothAreIn } from './search-fails';

let house: House;
const leave: (() => void)[] = [];
afterEach(async () => {
  leave.splice(0).forEach((one) => one());
  await house.close();
});

const address = (): string => `${house.url.replace('http', 'ws')}/api/v1/incidents/1`;
/** A token in a header; the house made its certificate itself. */
const options = (token: string): ClientOptions => ({
  headers: { Authorization: `Bearer ${token}` },
  rejectUnauthorized: false,
});

/** As docs/document-protocol.md says it. */
function stock(token: string): { doc: Y.Doc; provider: WebsocketProvider } {
  class Joining extends WebSocket {
    constructor(to: string, protocols: string[]) {
      super(to, protocols, options(token));
    }
  }
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(address(), 'document', doc, {
    WebSocketPolyfill: Joining as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
  leave.push(() => provider.destroy());
  return { doc, provider };
}

function ours(token: string, query = ''): { doc: Y.Doc; provider: Provider } {
  const doc = new Y.Doc();
  const dial = (): Socket =>
    new WebSocket(`${address()}/document${query}`, SUBPROTOCOL, options(token)) as unknown as Socket;
  const provider = new Provider(doc, new Awareness(doc), dial, { standing: () => undefined });
  provider.start();
  leave.push(() => provider.stop());
  return { doc, provider };
}

const furnish = async (store: Store): Promise<Tokens> => await bothAreIn((house = new House(store)));
const notes = (doc: Y.Doc): Y.Text => doc.getText('notes');
const reads = (doc: Y.Doc) => expect.poll(() => notes(doc).toString(), PATIENCE);

test.each(STORES)('a stock client and our page write one text (%s)', async (store) => {
  const { sabrina, marty } = await furnish(store);
  const [hers, his] = [ours(sabrina), stock(marty)];
  await expect.poll(() => his.provider.synced, PATIENCE).toBe(true);
  await expect.poll(() => hers.provider.standing.link, PATIENCE).toBe('live');
  his.provider.awareness.setLocalStateField('user', { name: 'Marty' });
  notes(hers.doc).insert(0, 'The cache is cold. ');
  await reads(his.doc).toBe('The cache is cold. ');
  notes(his.doc).insert(notes(his.doc).length, 'Warming it.');
  await reads(hers.doc).toBe('The cache is cold. Warming it.');
  await expect.poll(() => hers.provider.standing, PATIENCE).toMatchObject({ link: 'live', saved: true });
  const there = () => [...hers.provider.awareness.getStates().values()].map(({ user }) => user?.name);
  await expect.poll(there, PATIENCE).toContain('Marty');
  // The server dies under both; what they write meanwhile merges.
  await house.kill();
  notes(his.doc).insert(0, '[his] ');
  notes(hers.doc).insert(notes(hers.doc).length, ' [hers]');
  await house.serve();
  hers.provider.hurry();
  for (const { doc } of [hers, his]) await reads(doc).toBe('[his] The cache is cold. Warming it. [hers]');
  await expect.poll(() => hers.provider.standing, PATIENCE).toMatchObject({ link: 'live', saved: true });
});

test('a stock client that may only read watches, and one whose access ended stops coming', async () => {
  const { sabrina } = await furnish('sqlite');
  const reading = house.run('token', 'create', 'marty', '--scope', 'read').trim().split(/\s+/).at(-1)!;
  const [hers, watches] = [ours(sabrina), stock(reading)];
  await expect.poll(() => watches.provider.synced, PATIENCE).toBe(true);
  notes(watches.doc).insert(0, 'by a token that reads');
  notes(hers.doc).insert(0, 'Down.');
  await expect.poll(() => notes(watches.doc).toString(), PATIENCE).toContain('Down.');
  await expect.poll(() => hers.provider.standing.saved, PATIENCE).toBe(true);
  expect(notes(hers.doc).toString()).toBe('Down.');
  const closed = new Promise<number>((resolve) =>
    watches.provider.on('connection-close', (event) => resolve(event?.code ?? 0)),
  );
  house.run('person', 'deactivate', 'marty');
  expect(await closed).toBe(CLOSED.signedOut);
  await expect.poll(() => watches.provider.shouldConnect, PATIENCE).toBe(false);
});

test('over TLS, where HTTP/2 is offered too, both write as well', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  await house.serve(house.certificate());
  const headers = { authorization: `Bearer ${sabrina}`, 'content-type': 'application/json' };
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  leave.push(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
  const body = JSON.stringify({
    request_id: crypto.randomUUID(),
    title: 'Search is failing',
    severity: 'sev1',
  });
  const answer = await fetch(`${house.url}/api/v1/incidents`, { method: 'POST', headers, body });
  expect(answer.status).toBe(201);
  const [one, other] = [ours(sabrina), stock(sabrina)];
  await expect.poll(() => other.provider.synced, PATIENCE).toBe(true);
  await expect.poll(() => one.provider.standing.link, PATIENCE).toBe('live');
  notes(one.doc).insert(0, 'Down.');
  await reads(other.doc).toBe('Down.');
});

test('a page that keeps words of another log is told so, and mixes nothing', async () => {
  const { sabrina } = await furnish('sqlite');
  const before = ours(sabrina, `?epoch=${'0'.repeat(32)}`);
  notes(before.doc).insert(0, 'from before the restore');
  await expect.poll(() => before.provider.standing.ended?.code, PATIENCE).toBe(CLOSED.restored);
  const now = ours(sabrina);
  await expect.poll(() => now.provider.standing.link, PATIENCE).toBe('live');
  expect(notes(now.doc).toString()).toBe('');
});
