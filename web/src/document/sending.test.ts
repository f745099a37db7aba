import { afterEach, beforeEach, expect, test, vi } from 'vitest';

vi.mock('../api/client', () => ({ whom: { id: () => 'mary' } }));
const { pause, send } = await import('./sending');

/** A server of one upload: what came, and what it does before it answers the next parts. */
let come = new Uint8Array();
let troubles: ('breaks' | 'halves' | 'forgets' | 'refuses')[] = [];
let asked: string[] = [];
const WHOLE = 9 * 1024 * 1024;

const answer = (status: number, body?: unknown): Response =>
  new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { 'upload-offset': String(come.length) },
  });

beforeEach(() => {
  come = new Uint8Array();
  troubles = [];
  asked = [];
  vi.stubGlobal('fetch', async (_: string, asks: RequestInit) => {
    asked.push(asks.method!);
    if (asks.method === 'POST')
      return come.length === WHOLE
        ? answer(200, { address: '/there' })
        : answer(201, { upload: '/upload', offset: come.length });
    if (asks.method === 'HEAD') return answer(204);
    const trouble = troubles.shift();
    if (trouble === 'refuses') return answer(422, { code: 'wrong_sha256' });
    if (Number((asks.headers as Record<string, string>)['upload-offset']) !== come.length) return answer(409);
    let bytes = new Uint8Array(await (asks.body as Blob).arrayBuffer());
    if (trouble === 'breaks') throw new TypeError('it broke');
    if (trouble === 'halves') bytes = bytes.subarray(0, bytes.length / 2);
    const all = new Uint8Array(come.length + bytes.length);
    all.set(come);
    all.set(bytes, come.length);
    come = all;
    if (trouble === 'halves') throw new TypeError('it broke in the middle');
    if (trouble === 'forgets') return new Response(null, { status: 404 });
    return come.length === WHOLE ? answer(200, { address: '/there' }) : answer(204);
  });
});
afterEach(() => vi.unstubAllGlobals());

const bytes = Uint8Array.from({ length: WHOLE }, (_, at) => at % 251);
const sent = async (): Promise<[Response, number[]]> => {
  const far: number[] = [];
  return [
    await send(
      7,
      new Blob([bytes]),
      'heap.bin',
      (percent) => far.push(percent),
      async () => {},
    ),
    far,
  ];
};

test('goes on where it was after a break, also in the middle of a part', async () => {
  troubles = ['halves', 'breaks', 'breaks'];
  const [last, far] = await sent();
  expect(last.status).toBe(200);
  expect(Buffer.compare(come, bytes)).toBe(0);
  expect(far).toEqual([...far].sort((one, other) => one - other));
  expect(asked.filter((method) => method === 'HEAD')).toHaveLength(3);
});

test('asks again what became of it when the last answer got lost', async () => {
  come = bytes.slice(0, WHOLE - 9);
  troubles = ['forgets'];
  const [last] = await sent();
  expect([last.status, asked]).toEqual([200, ['POST', 'PATCH', 'POST']]);
});

test('says what the server refuses, and stops', async () => {
  troubles = ['refuses'];
  expect([(await sent())[0].status, asked]).toEqual([422, ['POST', 'PATCH']]);
});

test('waits longer each time, and not for ever', async () => {
  expect([1, 2, 3, 30].map(pause)).toEqual([500, 1000, 2000, 10_000]);
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('nobody is there')));
  await expect(sent()).rejects.toThrow('it cannot be reached');
});
