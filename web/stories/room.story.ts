// The room under strain: a phone, a busy timeline while somebody types, strange words, a session that ends elsewhere.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { commands } from './hands';
import { House, PHONE } from './house';

let house: House;
afterEach(async () => await house.close());

const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });

/** By how many pixels the page is wider than the window. */
const tooWide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

async function furnish(): Promise<{ sabrina: string; marty: string }> {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const marty = house.person('marty', 'Marty');
  await house.serve();
  return { sabrina, marty };
}

const STRANGE = [
  '<img src=x onerror="document.title=1"> & <b>bold</b>',
  'שירות החיפוש נכשל 🔥🔥🔥 for everyone',
  'Donaudampfschifffahrtsgesellschaftskapitänswitwe'.repeat(4),
  'بحث معطل للجميع منذ الإصدار الجديد',
];

test('on a phone, command is taken and nothing scrolls sideways, down to 320 pixels', async () => {
  const { sabrina, marty } = await furnish();
  house.say(sabrina, 'declare', 'Search is failing for everyone since the new sonnet', '--severity', 'sev1');
  house.say(marty, 'join', '1');
  house.say(sabrina, 'offer', '1', 'command', 'marty');
  const page = await house.enter('marty', { viewport: PHONE, isMobile: true, hasTouch: true });
  for (const width of [390, 320]) {
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`${house.url}/`);
    await page.getByText('offers you command').first().waitFor();
    expect(await tooWide(page), `board at ${width}`).toBe(0);
    expect(await faults(page)).toEqual([]);
    await page
      .getByRole('link', { name: /Read the briefing/ })
      .or(page.getByRole('button', { name: /Read the briefing/ }))
      .first()
      .tap();
    await next(page).getByRole('button', { name: 'Read the briefing' }).waitFor();
    expect(await tooWide(page), `incident at ${width}`).toBe(0);
    for (const tab of ['Command', 'Timeline', 'Now']) {
      await page.getByRole('navigation').getByText(tab).last().tap();
      expect(await tooWide(page), `${tab} at ${width}`).toBe(0);
      expect(await faults(page)).toEqual([]);
    }
  }
  await next(page).getByRole('button', { name: 'Read the briefing' }).tap();
  await page.getByRole('heading', { name: 'How it stands' }).waitFor();
  expect(await tooWide(page), 'the briefing').toBe(0);
  expect(await faults(page)).toEqual([]);
  await page.getByRole('button', { name: 'I have command', exact: true }).tap();
  await commands(page, 'Marty');
});

test('what is being typed stays, however much happens', async () => {
  const { sabrina, marty } = await furnish();
  house.say(sabrina, 'declare', 'Search is failing');
  const page = await house.enter('marty');
  await page.goto(`${house.url}/incidents/1`);
  const composer = page.getByLabel('Write a note into the timeline');
  await composer.click();
  const words = 'The cache does not help: every miss is fatal, and the next cluster gets the load.';
  // As many notes as the server takes, one after the other, for as long as it takes to type this.
  let typing = true;
  const noise = (async () => {
    let count = 0;
    while (typing) {
      const answer = await fetch(`${house.url}/api/v1/incidents/1/commands`, {
        method: 'POST',
        headers: { authorization: `Bearer ${sabrina}`, 'content-type': 'application/json' },
        body: JSON.stringify({ request_id: crypto.randomUUID(), command: 'note', text: `noise ${++count}` }),
      });
      expect(answer.status).toBe(200);
    }
    return count;
  })();
  await composer.pressSequentially(words, { delay: 20 });
  typing = false;
  const count = await noise;
  expect(await composer.inputValue()).toBe(words);
  await composer.press('Enter');
  const shown = page.locator('.timeline').getByText(words);
  await shown.first().waitFor();
  // While it is being sent it stands there too; in the end it stands there once.
  await page.waitForFunction(
    (words) =>
      [...document.querySelectorAll('.timeline bdi')].filter((b) => b.textContent === words).length === 1,
    words,
  );
  await page.locator('.timeline').getByText(`noise ${count}`, { exact: true }).waitFor();
  expect(house.say(marty, 'timeline', '1').split(words).length, 'it was noted once').toBe(2);
});

test('strange titles and notes are shown as they are, and break nothing', async () => {
  const { sabrina, marty } = await furnish();
  STRANGE.forEach((words, at) => {
    house.say(sabrina, 'declare', words.slice(0, 200));
    house.say(marty, 'note', `${at + 1}`, words);
  });
  const page = await house.enter('marty');
  for (const [at, words] of STRANGE.entries()) {
    await page.goto(`${house.url}/`);
    await page.getByText(words.slice(0, 200)).first().waitFor();
    expect(await tooWide(page)).toBe(0);
    await page.goto(`${house.url}/incidents/${at + 1}`);
    await page.locator('.timeline').getByText(words).first().waitFor();
    expect(await tooWide(page)).toBe(0);
    expect(await page.title()).not.toBe('1');
  }
});

test('a session that is ended elsewhere shows the door at once, and lets its owner in again', async () => {
  await furnish();
  const desk = await house.enter('marty');
  const phone = await house.open({ viewport: PHONE });
  await house.signIn(phone, 'marty');
  await desk.evaluate(async () => {
    const { sessions } = await (await fetch('/api/v1/sessions')).json();
    const other = sessions.find((one: { current: boolean }) => !one.current);
    await fetch(`/api/v1/sessions/${other.id}`, { method: 'DELETE' });
  });
  await phone.getByLabel('Your handle').waitFor();
  expect(await faults(phone)).toEqual([]);
  await desk.getByRole('heading', { name: 'Board' }).waitFor();
});
