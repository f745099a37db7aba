// The log as far as it is loaded: whatever overtakes what, it has no holes.
import { expect, test } from 'vitest';
import type { Entry } from '../api/types';
import { Log } from './log.svelte';

const entry = (number: number): Entry => ({ entry: number }) as Entry;

/** A log on a server that has so many entries, and answers when it is told to. */
function served(count: number) {
  const server = { count };
  const asked: { answer: () => Promise<void> }[] = [];
  const news: number[] = [];
  const read = (after: number, to: number) =>
    new Promise<Entry[]>((resolve) => {
      const until = Math.min(to, server.count);
      const page = Array.from({ length: Math.max(0, until - after) }, (_, at) => entry(after + 1 + at));
      asked.push({
        answer: async () => {
          resolve(page);
          // Whatever goes on from it has gone on.
          await new Promise((done) => setTimeout(done));
        },
      });
    });
  const log = new Log(read, (one) => news.push(one.entry));
  const numbers = () => log.entries.map((one) => one.entry);
  return { server, asked, news, log, numbers };
}

const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

test('what was asked for before everything was read anew leaves no hole in it', async () => {
  const { server, asked, log, numbers } = served(2);
  const whole = log.anew(2);
  await asked[0]!.answer();
  await asked[1]!.answer();
  await whole;
  // A view that knew of two entries only is read anew, while a third arrives, and whatever follows it is asked for.
  const late = log.anew(2);
  await log.arrived(entry(3));
  server.count = 4;
  const newer = log.newer();
  await asked[2]!.answer();
  expect(numbers()).toEqual([1, 2]);
  await asked[3]!.answer();
  for (const { answer } of asked) await answer();
  await Promise.all([late, newer]);
  expect(numbers()).toEqual([1, 2, 3, 4]);
});

test('older entries that were asked for before everything was read anew leave none either', async () => {
  const { asked, log, numbers } = served(700);
  log.replace(upTo(700, 301).map(entry));
  const older = log.older();
  const whole = log.anew(700);
  await asked[1]!.answer();
  expect(numbers()).toEqual(upTo(700, 501));
  await asked[0]!.answer();
  for (let at = 2; at < asked.length; at += 1) await asked[at]!.answer();
  await Promise.all([older, whole]);
  expect(numbers()).toEqual(upTo(700, 301));
});

test('two who ask for the same add it once, and each entry is news once', async () => {
  const { server, asked, news, log, numbers } = served(3);
  log.replace([entry(1)]);
  const both = [log.newer(), log.newer()];
  server.count = 5;
  // One is missing before what arrives.
  both.push(log.arrived(entry(5)));
  for (const { answer } of asked.toReversed()) await answer();
  await Promise.all(both);
  expect(numbers()).toEqual(upTo(5));
  expect(news).toEqual([2, 3, 4, 5]);
});

test('what arrives before anything is loaded waits for the rest', async () => {
  const { asked, log, numbers } = served(3);
  await log.arrived(entry(3));
  expect([numbers(), asked.length]).toEqual([[], 0]);
});
