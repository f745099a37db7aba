// `make bench` (table `page`): how soon a phone on a bad line sees something, beside a bare page on the same line.
//
// The line is WebPageTest's "3G Slow" (400 kbit/s each way, 400 ms there and back), the processor is slowed down four
// times, the cache is empty. What is printed is the median of interleaved rounds.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { House, PHONE } from './house';

const ROUNDS = process.env.BENCH === 'quick' ? 1 : 5;
/** The aim for the first paint, in milliseconds. */
const AIM = 2_000;
const LINE = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };

interface Seen {
  /** Milliseconds until anything was painted. */
  paint: number;
  /** Milliseconds until what one came for could be read. */
  there: number;
  /** Bytes that came over the line until then. */
  bytes: number;
}

const median = (figures: number[]): number => figures.toSorted((a, b) => a - b)[figures.length >> 1]!;

/** A page of plain text and nothing else: what the line itself takes. */
async function bare(): Promise<Server> {
  const server = createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html');
    answer.end('<!doctype html><title>bare</title><h1>There</h1>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Opens an address with an empty cache, as slowly as a phone would, until something stands there. */
async function visit(page: Page, url: string, what: string): Promise<Seen> {
  const cdp = await page.context().newCDPSession(page);
  let bytes = 0;
  cdp.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await cdp.send('Network.enable');
  await cdp.send('Network.clearBrowserCache');
  await cdp.send('Network.emulateNetworkConditions', LINE);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.addInitScript((selector) => {
    const looking = setInterval(() => {
      if (!document.querySelector(selector)) return;
      clearInterval(looking);
      document.documentElement.dataset['there'] = String(performance.now());
    }, 10);
  }, what);
  await page.goto(url, { waitUntil: 'commit' });
  const seen = await page
    .waitForFunction(() => {
      const there = document.documentElement.dataset['there'];
      const [paint] = performance.getEntriesByName('first-contentful-paint');
      return there && paint ? { paint: paint.startTime, there: Number(there) } : undefined;
    })
    .then((handle) => handle.jsonValue());
  await page.close();
  return { ...seen!, bytes };
}

test('paint', { timeout: 600_000 }, async () => {
  const house = new House('sqlite');
  const server = await bare();
  try {
    const token = house.person('sabrina', 'Sabrina', '--admin');
    await house.serve();
    house.say(token, 'declare', 'Search is failing for everyone', '--severity', 'sev1');
    const phone = { viewport: PHONE, isMobile: true, hasTouch: true };
    const signedIn = (await house.enter('sabrina', phone)).context();
    const nobody = (await house.open(phone)).context();
    const places = [
      ['a bare page', nobody, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 'h1'],
      ['signing in', nobody, `${house.url}/`, 'input'],
      ['the board', signedIn, `${house.url}/`, '[data-row]'],
      ['an incident', signedIn, `${house.url}/incidents/1`, 'header .lead'],
    ] as const;
    const rounds = new Map<string, Seen[]>(places.map(([name]) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, context, url, what] of places) {
        rounds.get(name)!.push(await visit(await context.newPage(), url, what));
      }
    }
    const out = [`\nA phone on a slow line (400 kbit/s, 400 ms, processor ÷ 4); medians of ${ROUNDS} rounds`];
    out.push(`${''.padEnd(16)}first paint, ms   there, ms   bytes   the aim`);
    for (const [name, seen] of rounds) {
      const [paint, there, bytes] = (['paint', 'there', 'bytes'] as const).map((key) =>
        Math.round(median(seen.map((one) => one[key]))),
      );
      const aim = name === 'a bare page' ? 'the line itself' : `first paint < ${AIM}`;
      out.push(
        `${name.padEnd(16)}${String(paint).padStart(15)}${String(there).padStart(12)}${String(bytes).padStart(8)}   ${aim}`,
      );
    }
    process.stdout.write(`${out.join('\n')}\n`);
  } finally {
    server.close();
    await house.close();
  }
});
