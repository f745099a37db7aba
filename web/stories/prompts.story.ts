// Nudges: none while somebody types or reads, then one, and none that they put off; in all their windows together.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });
const NUDGE = 'You are doing both, command and operations.';

/** Sabrina commands and does operations too; a second other responder makes that worth a nudge. */
async function furnish(store: (typeof STORES)[number]) {
  house = new House(store);
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const [marty, brown] = [house.person('marty', 'Marty'), house.person('brown', 'Doc Brown')];
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing');
  house.say(marty, 'join', '1');
  return { sabrina, brown };
}

/** What a window asked about prompts, and was told. */
function asked(page: Page): boolean[] {
  const told: boolean[] = [];
  page.on('response', async (response) => {
    if (!response.url().endsWith('/prompts')) return;
    told.push(((await response.json()) as { prompted: boolean }).prompted);
  });
  return told;
}

/** Whether the line draws attention: it stands out, and is read aloud. */
async function loud(page: Page): Promise<boolean> {
  const aloud = await page.locator('.next ~ [aria-live="polite"]').first().textContent();
  const stands = (await page.locator('.next:not(.quiet, .calm)').count()) === 1;
  expect(aloud !== '', 'what stands out is read aloud, and nothing else').toBe(stands);
  return stands;
}

test.each(STORES)(
  'who types is left alone; then one window prompts, and putting off holds for all (%s)',
  async (store) => {
    const { brown } = await furnish(store);
    const desk = await house.enter('sabrina');
    await desk.clock.install();
    const other = await desk.context().newPage();
    const told = [asked(desk), asked(other)];
    for (const page of [desk, other]) {
      await page.goto(`${house.url}/incidents/1`);
      await next(page).getByText('Nothing waits for you.').waitFor();
    }
    await desk.bringToFront();
    const composer = desk.getByLabel('Write a note into the timeline');
    await composer.pressSequentially('Errors began with');
    house.say(brown, 'join', '1');
    for (const page of [desk, other]) await page.locator('#people').getByText('Doc Brown').waitFor();
    // A quarter of an hour of somebody who thinks between words.
    for (let round = 0; round < 45; round++) {
      await desk.clock.fastForward(20_000);
      await composer.pressSequentially(round % 9 === 8 ? ' the sonnet' : '.');
      expect(await next(desk).getByText(NUDGE).count(), `after ${round * 20} s`).toBe(0);
    }
    expect(await next(other).getByText(NUDGE).count(), 'nor in the other window').toBe(0);
    expect(told.flat()).toEqual([]);

    await composer.press('Enter');
    for (const page of [desk, other]) await next(page).getByText(NUDGE).waitFor();
    await expect.poll(() => told.flat().filter(Boolean).length).toBe(1);
    await expect.poll(async () => [await loud(desk), await loud(other)].sort()).toEqual([false, true]);
    expect(told.flat().filter(Boolean), 'not one more meanwhile').toHaveLength(1);
    expect(await composer.evaluate((field) => field === document.activeElement)).toBe(true);
    expect(await faults(desk)).toEqual([]);
    expect(await faults(other)).toEqual([]);

    // Somewhere else it stands there too, and says nothing more.
    const phone = await house.open({ viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' });
    const toldPhone = asked(phone);
    await house.signIn(phone, 'sabrina');
    await phone.getByText(NUDGE).waitFor();
    await phone.goto(`${house.url}/incidents/1`);
    await next(phone).getByText(NUDGE).waitFor();
    expect(await loud(phone)).toBe(false);
    expect(await faults(phone)).toEqual([]);

    // One key, and it is put off everywhere.
    await composer.blur();
    await desk.keyboard.press('z');
    await next(desk).getByText('Put off until').waitFor();
    expect(await next(desk).getByRole('button', { name: 'In ten minutes' }).count()).toBe(0);
    await expect.poll(() => loud(desk)).toBe(false);
    await phone.reload();
    await next(phone).getByText('Put off until').waitFor();
    await desk.keyboard.press('?');
    await desk.getByText('Put off for ten minutes what you could do next').waitFor();
    expect(told.flat().filter(Boolean).length).toBe(1);
    expect(toldPhone).toEqual([]);
  },
);

test('who reads a briefing is left alone in all windows, and an offer to them is not held back', async () => {
  const { brown } = await furnish('sqlite');
  const desk = await house.enter('sabrina');
  const other = await desk.context().newPage();
  const told = [asked(desk), asked(other)];
  for (const page of [desk, other]) {
    await page.goto(`${house.url}/incidents/1`);
    await next(page).getByText('Nothing waits for you.').waitFor();
    await page.mouse.move(300, 5);
  }
  await desk.bringToFront();
  await desk.keyboard.press('b');
  await desk.getByRole('heading', { name: 'How it stands' }).waitFor();
  house.say(brown, 'join', '1');
  for (const page of [desk, other]) await page.locator('#people').getByText('Doc Brown').waitFor();
  const nothingIsSaid = async (...pages: Page[]) => {
    for (const page of pages) expect(await next(page).getByText(NUDGE).count()).toBe(0);
  };
  await nothingIsSaid(desk, other);
  // Nor in one that is opened meanwhile.
  const third = await desk.context().newPage();
  told.push(asked(third));
  await third.goto(`${house.url}/incidents/1`);
  await next(third).getByText('Go on. What there is can wait until you are done.').waitFor();
  await third.mouse.move(300, 5);
  // What somebody waits for comes at once.
  house.say(brown, 'roadblock', '1', 'The quota is used up');
  for (const page of [desk, other, third])
    await next(page).getByText('Clear the roadblock of Doc Brown').waitFor();
  await expect.poll(() => loud(desk)).toBe(true);
  await next(desk).getByRole('button', { name: 'It is cleared' }).click();
  for (const page of [desk, other, third])
    await next(page).getByText('Clear the roadblock').waitFor({ state: 'detached' });
  await nothingIsSaid(desk, other, third);
  expect(told.flat()).toEqual([]);
  await desk.keyboard.press('Escape');
  for (const page of [desk, other, third]) await next(page).getByText(NUDGE).waitFor();
  await expect.poll(() => told.flat().filter(Boolean).length).toBe(1);
});

test('at a desk that somebody left no prompt is spent, and it comes when they are back', async () => {
  const { brown } = await furnish('sqlite');
  const desk = await house.enter('sabrina');
  // Whatever a story asks of a page is taken for a hand on it by the browser, and a page that looks for one later than
  // it is asked finds it.
  await desk.addInitScript(() => Object.defineProperty(navigator, 'userActivation', { value: undefined }));
  await desk.clock.install();
  const told = asked(desk);
  await desk.goto(`${house.url}/incidents/1`);
  await next(desk).getByText('Nothing waits for you.').waitFor();
  await desk.mouse.move(300, 5);
  await desk.clock.fastForward(301_000);
  house.say(brown, 'join', '1');
  await next(desk).getByText(NUDGE).waitFor();
  // Every half minute the page looks again, and everything that it asked by then was answered.
  for (let round = 0; round < 3; round++) {
    const looked = desk.waitForResponse(`${house.url}/api/v1/incidents/1`);
    await desk.clock.fastForward(30_000);
    await looked;
    expect(await loud(desk)).toBe(false);
  }
  expect(told).toEqual([]);
  // Nor is a page that was merely opened anew anybody who is there.
  await desk.reload();
  await next(desk).getByText(NUDGE).waitFor();
  expect(await loud(desk)).toBe(false);
  expect(told).toEqual([]);
  await desk.mouse.move(320, 5);
  await expect.poll(() => loud(desk)).toBe(true);
  expect(told).toEqual([true]);
});

test('what came, went and comes again is quiet', async () => {
  const { sabrina, brown } = await furnish('sqlite');
  const desk = await house.enter('sabrina');
  const told = asked(desk);
  await desk.goto(`${house.url}/incidents/1`);
  await next(desk).getByText('Nothing waits for you.').waitFor();
  await desk.mouse.move(300, 5);
  house.say(brown, 'join', '1');
  await next(desk).getByText(NUDGE).waitFor();
  await expect.poll(() => loud(desk)).toBe(true);
  for (let round = 0; round < 2; round++) {
    house.say(sabrina, 'offer', '1', 'operations', 'marty');
    await next(desk).getByText('Nothing waits for you.').waitFor();
    expect(await loud(desk)).toBe(false);
    house.say(sabrina, 'withdraw', '1', 'operations');
    await next(desk).getByText(NUDGE).waitFor();
    expect(await loud(desk)).toBe(false);
  }
  expect(told).toEqual([true]);
});
