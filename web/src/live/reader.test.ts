// The reader against a server that breaks off, refuses and forgets.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { coalesced } from './coalesce';
import { pause } from './pause';
import { StreamReader, type Told } from './reader';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const entry = (at: number) => `id: e.${at}\nevent: entry\ndata: {"entry":${at}}\n\n`;

/** Answers one attempt after the other; the last one stays open. */
function server(...answers: (Response | Error)[]) {
  const asked: string[] = [];
  const told: Told[] = [];
  const silent = (signal: AbortSignal) =>
    new ReadableStream({
      start: (body) => signal.addEventListener('abort', () => body.error(new Error('aborted'))),
    });
  const fetched = (async (url: string, { signal }: { signal: AbortSignal }) => {
    asked.push(url.replace('/api/v1/events?drills=true', ''));
    const answer = answers.shift() ?? new Response(silent(signal));
    if (answer instanceof Error) throw answer;
    return answer;
  }) as unknown as typeof fetch;
  const reader = new StreamReader((one) => told.push(one), fetched);
  return {
    reader,
    asked,
    told,
    said: () => told.map((one) => (one.tell === 'state' ? one.state : one.tell)),
  };
}

test('after a break it goes on behind the last entry, and nothing is missing', async () => {
  const { reader, asked, said } = server(new Response(entry(1) + entry(2)), new Response(entry(3)));
  reader.start();
  await vi.advanceTimersByTimeAsync(2_000);
  reader.stop();
  expect(asked.slice(0, 3)).toEqual(['', '&after=e.2', '&after=e.3']);
  expect(said().slice(0, 7)).toEqual(['connecting', 'live', 'gap', 'entry', 'entry', 'reconnecting', 'live']);
  expect(said().filter((one) => one === 'gap')).toHaveLength(1);
});

test('a break before the first entry cannot be resumed, and is told as a gap', async () => {
  const { reader, asked, said } = server(new Response(': connected\n\n'), new Response(': connected\n\n'));
  const gaps = () => said().filter((one) => one === 'gap').length;
  reader.start();
  // How long it rests is drawn: it is followed until it has told of the second gap, and not further.
  for (let at = 0; at < 5_000 && gaps() < 2; at++) await vi.advanceTimersByTimeAsync(1);
  reader.stop();
  expect(asked).toEqual(['', '']);
  expect(gaps()).toBe(2);
});

test('a cursor of another history is dropped, and everything is read anew', async () => {
  const { reader, asked, said } = server(new Response(entry(1)), new Response('{}', { status: 410 }));
  reader.start();
  await vi.advanceTimersByTimeAsync(1_000);
  reader.stop();
  expect(asked).toEqual(['', '&after=e.1', '']);
  expect(said().filter((one) => one === 'gap')).toHaveLength(2);
});

test('whoever is signed out is told, and not read for', async () => {
  const { reader, asked, said } = server(new Response('{}', { status: 401 }));
  reader.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(1);
  expect(said()).toEqual(['connecting', 'signed-out']);
  reader.start();
  await vi.advanceTimersByTimeAsync(10);
  expect(asked).toHaveLength(2);
});

test('a server that is away is asked again, and at once when there is reason to hope', async () => {
  const away = () => new TypeError('failed to fetch');
  const { reader, asked } = server(away(), away(), away(), away(), away(), away(), away());
  reader.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(400);
  expect(asked).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(10);
  reader.hurry();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveLength(3);
  reader.stop();
});

test('a stream that falls silent is given up, and read again', async () => {
  const { reader, asked, said } = server();
  reader.start();
  await vi.advanceTimersByTimeAsync(39_000);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  reader.stop();
  expect(asked).toHaveLength(2);
  expect(said().slice(0, 5)).toEqual(['connecting', 'live', 'gap', 'reconnecting', 'live']);
});

test('pauses grow from 0.3 s to 10 s, with a little jitter', () => {
  expect([0, 1, 2, 3, 9, 1_000].map((failed) => pause(failed, 0.5))).toEqual([
    300, 600, 1200, 2400, 10000, 10000,
  ]);
  expect(pause(0, 0)).toBe(240);
  expect(pause(0, 1)).toBe(360);
});

test('many reasons to read anew are few readings, and the last reason is served', async () => {
  let readings = 0;
  const again = coalesced(async () => void readings++);
  for (let at = 0; at < 100; at++) {
    again();
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(300);
  expect(readings).toBe(5);
});

test('a reading that fails does not end them', async () => {
  let readings = 0;
  const again = coalesced(() => {
    readings++;
    throw new Error('away');
  });
  again();
  await vi.advanceTimersByTimeAsync(300);
  again();
  await vi.advanceTimersByTimeAsync(0);
  expect(readings).toBe(2);
});
