// Whom a page means by what it asks: the same person for as long as it is asked, whoever signs in beside it meanwhile.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Refused, command, get, send, whom } from './client';

// The real one is made of runes, which only the page's build understands.
vi.mock('./clock.svelte', () => ({ clock: { heard: () => undefined } }));

/** Whom each request meant, in order. */
let meant: (string | null)[] = [];
let answers: [status: number, body: unknown][] = [];
let looks = 0;

beforeEach(() => {
  [meant, answers, looks] = [[], [], 0];
  vi.useFakeTimers();
  vi.stubGlobal('fetch', (_: string, asked: RequestInit) => {
    meant.push(new Headers(asked.headers).get('wardroom-as'));
    const [status, body] = answers.shift() ?? [200, {}];
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  whom.id = () => 'marty';
  whom.look = () => (looks += 1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('what is asked to be done says whom it means, and reading does not', async () => {
  await send('POST', '/presence');
  await send('DELETE', '/session');
  await get('/me');
  expect(meant).toEqual(['marty', 'marty', null]);
  whom.id = () => undefined;
  await send('POST', '/session', {});
  expect(meant[3]).toBeNull();
});

test('a command that is sent again stays whose it was', async () => {
  answers = [[503, {}]];
  const done = command('/incidents/1/commands', { command: 'join' });
  await vi.advanceTimersByTimeAsync(0);
  whom.id = () => 'emma';
  await vi.runAllTimersAsync();
  await done;
  expect(meant).toEqual(['marty', 'marty']);
});

test('when somebody else is signed in by now, nothing is sent again, and the page looks who it is', async () => {
  answers = [[409, { code: 'somebody_else', detail: 'Somebody else.' }]];
  await expect(command('/incidents/1/commands', { command: 'join' })).rejects.toBeInstanceOf(Refused);
  expect([meant.length, looks]).toEqual([1, 1]);
});
