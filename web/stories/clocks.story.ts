// Clocks that are off by an hour, and people in other zones: ages and countdowns stay true.
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { House, PHONE } from './house';

let house: House;
afterEach(async () => await house.close());

/** The time of day of a moment, in UTC. */
const hhmm = (at: Date) => at.toISOString().slice(11, 16);

// The server's clock is the one that is put off: a browser that is an hour ahead of it is one that is an hour off, its
// workers included.
test.each([
  ['-1h', -60, 'Asia/Kolkata'],
  ['+1h', 60, 'America/St_Johns'],
  ['+0', 0, 'Pacific/Chatham'],
])('a browser beside a clock that is %s off shows what is true', async (ahead, minutes, timezoneId) => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  house.person('marty', 'Marty');
  await house.serve({
    LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!,
    FAKETIME: ahead,
    FAKETIME_DISABLE_SHM: '1',
  });
  /** The server's clock. */
  const now = () => new Date(Date.now() + minutes * 60_000);
  /** The minutes from so many before it to so many after it, as times of day. */
  const around = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => hhmm(new Date(now().getTime() + (from + at) * 60_000)));
  house.say(sabrina, 'declare', 'Search is failing');
  house.say(sabrina, 'clock', '1', 'Look again', '--in', '30');
  house.say(sabrina, 'offer', '1', 'operations', 'marty');
  const page = await house.enter('marty', { timezoneId, ...WITHOUT_WORKER });
  await page.getByText(/It lapses in (9|10) min/).waitFor();
  const row = page.locator('[data-row]').filter({ hasText: 'Search is failing' });
  await row.getByText(/in (9|10) min/).waitFor();
  await page.goto(`${house.url}/incidents/1`);
  await page
    .getByRole('region', { name: 'What you do next' })
    .getByText(/It lapses in (9|10) min/)
    .waitFor();
  await page
    .locator('header .lead')
    .getByText(/Look again in (29|30) min/)
    .waitFor();
  // The header says when, in UTC and for the reader; how long ago, by the server's clock.
  const shown = (await page.locator('header .meta').textContent()) ?? '';
  expect(shown).toMatch(/\d\d:\d\d UTC\s*\(\d\d:\d\d yours\), (a moment|\d\d s|1 min) ago/);
  const [utc, own] = [...shown.matchAll(/\d\d:\d\d/g)].map(([time]) => time);
  const opened = new Date(`${now().toISOString().slice(0, 10)}T${utc}:00Z`);
  const there = opened.toLocaleTimeString('en-GB', {
    timeZone: timezoneId,
    hour: '2-digit',
    minute: '2-digit',
  });
  expect(own).toBe(there);
  expect(around(-5, 0)).toContain(utc);

  // While a note is on its way it stands under the server's time, as it will when it is there.
  let sent: (() => void) | undefined;
  const sending = new Promise<void>((resolve) => (sent = resolve));
  await between(page, '**/commands', async (route) => {
    await sending;
    await route.continue();
  });
  const composer = page.getByLabel('Write a note into the timeline');
  await composer.fill('The cache does not help');
  await composer.press('Enter');
  const waiting = page.locator('.timeline .sending');
  await waiting.getByText('sending…').waitFor();
  expect(around(-1, 1)).toContain(await waiting.locator('time').textContent());
  sent!();
  const entry = page.locator('.timeline [data-entry]').filter({ hasText: 'The cache does not help' });
  await entry.waitFor();
  expect(around(-1, 1)).toContain((await entry.locator('time').textContent())?.trim());

  // Back-dated to five minutes ago by the server's clock, it lands there.
  await page.unroute('**/commands');
  const then = hhmm(new Date(now().getTime() - 5 * 60_000));
  await composer.fill('It began here');
  await page.getByRole('button', { name: 'It happened earlier' }).click();
  await page.locator('.composer input[type=time]').fill(then);
  await page.getByRole('button', { name: 'Note', exact: true }).click();
  const earlier = page.locator('.timeline [data-entry]').filter({ hasText: 'It began here' });
  await earlier.getByText(`happened ${then} UTC`).waitFor();
  const state = await fetch(`${house.url}/api/v1/incidents/1/events`, {
    headers: { authorization: `Bearer ${sabrina}` },
  });
  const { entries } = (await state.json()) as { entries: { kind: string; body: { happened_at?: string } }[] };
  const happened = entries.findLast(({ kind }) => kind === 'noted')?.body.happened_at ?? '';
  expect(Math.abs(Date.parse(happened) - now().getTime() + 5 * 60_000)).toBeLessThan(2 * 60_000);

  // What breaks off says when it was seen last, by that clock too.
  await house.kill();
  const seen = (await page.getByText(/last seen/).textContent()) ?? '';
  const last = /(\d\d:\d\d):\d\dZ/.exec(seen)?.[1];
  expect(around(-1, 1)).toContain(last);
  expect(await faults(page)).toEqual([]);
});
