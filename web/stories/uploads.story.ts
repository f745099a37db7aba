// A large file in parts: how far it is stands in the page, it goes on where it broke off, and what there is no room for
// is said.
import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, STORES, picture } from './house';
import { PATIENCE, type Tokens, bothAreIn } from './search-fails';
import { editor, reads, saved } from './written';

let house: House;
afterEach(async () => await house.close());

const MIB = 1024 * 1024;
/** A file of so many bytes, none of which are like others, dropped into the working notes. Its SHA-256. */
async function drop(page: Page, name: string, bytes: number): Promise<string> {
  await editor(page).evaluate(
    (content, [name, bytes]) => {
      const all = new Uint32Array(bytes / 4).map((_, at) => Math.imul(at, 2_654_435_761));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([all], name));
      const { x, y } = content.getBoundingClientRect();
      const where = { clientX: x + 5, clientY: y + 5, bubbles: true, cancelable: true };
      content.dispatchEvent(new DragEvent('drop', { dataTransfer, ...where }));
    },
    [name, bytes] as const,
  );
  const same = new Uint32Array(bytes / 4).map((_, at) => Math.imul(at, 2_654_435_761));
  return createHash('sha256').update(same).digest('hex');
}

const far = (page: Page) => page.locator('[data-part="notes"] p', { hasText: /^\s*Sending heap\.bin/ });

/** How far it was said to be, from now on: each percent that was shown. */
async function percents(page: Page): Promise<() => Promise<number[]>> {
  const all = await page.locator('[data-part="notes"]').evaluateHandle((part) => {
    const all = new Set<number>();
    const look = (): void => {
      const found = /Sending heap\.bin: (\d+) %/.exec(part.textContent.replace(/\s+/g, ' '));
      if (found) all.add(Number(found[1]));
    };
    new MutationObserver(look).observe(part, { childList: true, subtree: true, characterData: true });
    return all;
  });
  return () => all.evaluate((all) => [...all]);
}

/** The part that begins there, once it is sent. */
const part = (page: Page, at: number) =>
  page.waitForRequest(
    (asked) => asked.method() === 'PATCH' && asked.headers()['upload-offset'] === String(at),
  );

/** What the line takes: so many bytes a second, or nothing. */
async function line(page: Page): Promise<(uploadThroughput: number, offline?: boolean) => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  return async (uploadThroughput, offline = false) => {
    const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput };
    await session.send('Network.emulateNetworkConditions', conditions);
  };
}
const SLOW = 2 * MIB;
const FREE = -1;

/** The parts that were sent: behind how many bytes each belongs. And how often one was begun. */
function watched(page: Page): { parts: number[]; begun: number } {
  const seen = { parts: [] as number[], begun: 0 };
  page.on('request', (request) => {
    if (request.method() === 'PATCH') seen.parts.push(Number(request.headers()['upload-offset']));
    if (request.method() === 'POST' && request.url().endsWith('/evidence/uploads')) seen.begun += 1;
  });
  return seen;
}

interface Piece {
  name: string;
  sha256: string;
  bytes: number;
  media_type: string;
}
const evidence = (token: string): Piece[] =>
  (JSON.parse(house.say(token, '--json', 'evidence', 'list', '1')) as { evidence: Piece[] }).evidence;

const look = (page: Page, name: string): Promise<void> => picture(page, name, '[data-part="notes"]');

async function enter(store: 'sqlite' | 'postgres', more: NodeJS.ProcessEnv = {}): Promise<[Page, Tokens]> {
  house = new House(store);
  const tokens = await bothAreIn(house, more);
  const page = await house.enter('sabrina');
  await page.goto(`${house.url}/incidents/1`);
  await saved(page);
  return [page, tokens];
}

/** All of it is there, once, as it was. */
async function whole(page: Page, token: string, sha256: string, bytes: number): Promise<void> {
  await reads(page).toMatch(/^heap\.bin/);
  await page.locator(`.timeline a.piece[href="/api/v1/incidents/1/evidence/${sha256}"]`).waitFor();
  expect(await far(page).count()).toBe(0);
  const kept = { name: 'heap.bin', sha256, bytes, media_type: 'application/octet-stream' };
  expect(evidence(token)).toEqual([expect.objectContaining(kept)]);
  expect(house.say(token, 'evidence', 'verify', '1')).toContain('The evidence holds: 1 piece');
  await page
    .getByText(`attached heap.bin (${bytes / MIB}.0 MB)`)
    .first()
    .waitFor();
}

test.each(STORES)('a large file is sent in parts, and how far it is is seen (%s)', async (store) => {
  const [page, { marty }] = await enter(store);
  const seen = watched(page);
  const shown = await percents(page);
  const takes = await line(page);
  await takes(SLOW);
  const second = part(page, 4 * MIB);
  const sha256 = await drop(page, 'heap.bin', 24 * MIB);
  await second;
  expect(await faults(page)).toEqual([]);
  await look(page, 'upload-under-way');
  await takes(FREE);
  await whole(page, marty, sha256, 24 * MIB);
  expect(seen).toEqual({ parts: [0, 4, 8, 12, 16, 20].map((at) => at * MIB), begun: 1 });
  expect(await shown()).toEqual([0, 16, 33, 50, 66, 83]);
  expect(await faults(page)).toEqual([]);
});

test.each(['the server was killed', 'the line was cut'])('%s, and it goes on where it was', async (what) => {
  const [page, { marty }] = await enter('sqlite');
  const seen = watched(page);
  const takes = await line(page);
  await takes(SLOW);
  const second = part(page, 4 * MIB);
  const sha256 = await drop(page, 'heap.bin', 24 * MIB);
  await second;
  const killed = what === 'the server was killed';
  await (killed ? house.kill() : takes(SLOW, true));
  await far(page).getByText('It waits for the connection, and goes on from there.').waitFor();
  expect(await faults(page)).toEqual([]);
  await look(page, 'upload-waits');
  const before = seen.parts.length;
  await (killed ? house.serve() : takes(SLOW));
  await whole(page, marty, sha256, 24 * MIB);
  expect(seen.begun, 'it was not begun anew').toBe(1);
  expect(Math.min(...seen.parts.slice(before)), 'nothing came twice').toBeGreaterThanOrEqual(4 * MIB);
});

test('what there is no room for is refused before a byte of it is sent, in words', async () => {
  const [page, { marty }] = await enter('sqlite', { WARDROOM_MAX_EVIDENCE_PER_INCIDENT: '11' });
  const seen = watched(page);
  await drop(page, 'heap.bin', 12 * MIB);
  const trouble = page.locator('[data-part="notes"] p.trouble');
  await trouble
    .getByText('heap.bin was not kept. This incident has 0 bytes of evidence, and 12.0 MB more do not fit')
    .waitFor();
  await trouble.getByText('Keep it elsewhere, and link to it from a note.').waitFor();
  expect([seen.parts, await far(page).count(), evidence(marty)]).toEqual([[], 0, []]);
  expect(await faults(page)).toEqual([]);
  await look(page, 'upload-refused');
  await trouble.getByRole('button', { name: 'All right' }).click();
  await expect.poll(() => trouble.count(), PATIENCE).toBe(0);
  await reads(page).toBe('');
});
