// The ledger of changes: told in a line, seen by everybody, sorted by operations, undone in order, and in the way of
// closing until nothing differs from normal.
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { House, PHONE } from './house';
import { PATIENCE } from './search-fails';

let house: House;
afterEach(async () => await house.close());

const TOUCH: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true };

const ledger = (page: Page) => page.getByRole('group', { name: /^Differs from normal right now/ });
const row = (page: Page, words: string) => ledger(page).getByRole('listitem').filter({ hasText: words });
const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });
const field = (page: Page) => page.getByRole('textbox', { name: 'A change to a service' });
const order = (page: Page) =>
  expect.poll(() => ledger(page).locator('.words > bdi').allInnerTexts(), PATIENCE);
const inField = (page: Page) =>
  expect.poll(() => page.evaluate(() => document.activeElement?.id), PATIENCE).toBe('change');

/** In which row the keyboard is. */
const inRow = (page: Page) =>
  expect.poll(() => page.evaluate(() => document.activeElement?.closest('li')?.innerText), PATIENCE);

/** Sabrina commands, Marty has operations, Emma reads. */
async function furnish(...more: string[]): Promise<{ sabrina: string; marty: string; emma: string }> {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const marty = house.person('marty', 'Marty');
  const emma = house.person('emma', 'Emma');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing for everyone', '--service', 'search', ...more);
  house.say(marty, 'join', '1');
  house.say(sabrina, 'offer', '1', 'operations', 'marty');
  house.say(marty, 'take', '1', 'operations');
  return { sabrina, marty, emma };
}

async function enter(handle: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await house.enter(handle, options);
  await page.goto(`${house.url}/incidents/1`);
  await ledger(page).waitFor();
  return page;
}

const press = async (page: Page, words: string, act: string): Promise<void> =>
  await row(page, words).getByRole('button', { name: act, exact: true }).click();

const further = async (page: Page, words: string, act: string): Promise<void> => {
  await page.getByRole('button', { name: `More to do with: ${words}` }).click();
  await press(page, words, act);
};

test('planning writes a change down for whoever made it', async () => {
  const { sabrina, emma } = await furnish();
  house.say(emma, 'join', '1');
  house.say(sabrina, 'offer', '1', 'planning', 'emma');
  house.say(emma, 'take', '1', 'planning');
  const page = await enter('emma');
  await field(page).fill('rolled back to v11');
  const maker = page.getByRole('combobox', { name: 'Made by' });
  await ledger(page).getByText('operations sort it').waitFor();
  await maker.selectOption({ label: 'Marty' });
  await ledger(page).getByText('it counts as theirs').waitFor();
  expect(await faults(page)).toEqual([]);
  await field(page).press('Enter');
  await row(page, 'rolled back to v11').getByText('Marty').waitFor();
  await row(page, 'rolled back to v11').getByText('written down by Emma').waitFor();
  expect(await row(page, 'rolled back to v11').getByText('uncoordinated').count()).toBe(0);
  // The next line is one's own again.
  await field(page).fill('search: I flushed the cache');
  await expect.poll(() => maker.inputValue(), PATIENCE).toBe('');
  await field(page).press('Enter');
  await row(page, 'flushed the cache').getByText('uncoordinated').waitFor();
});

test('who made a change goes with its line, whatever is typed and chosen while it is on its way', async () => {
  const { sabrina, emma } = await furnish('--service', 'index');
  house.say(emma, 'join', '1');
  house.say(sabrina, 'offer', '1', 'planning', 'emma');
  house.say(emma, 'take', '1', 'planning');
  const page = await enter('emma', WITHOUT_WORKER);
  const maker = page.getByRole('combobox', { name: 'Made by' });
  // Chosen while the line is asked which service it is about.
  await field(page).fill('eu-1/cards: drained');
  await field(page).press('Enter');
  const index = ledger(page).getByRole('button', { name: 'index', exact: true });
  await index.waitFor();
  await maker.selectOption({ label: 'Marty' });
  // The next line, and who made that one, while this one is on its way.
  let go = (): void => undefined;
  const gone = new Promise<void>((resolve) => (go = resolve));
  await between(page, '**/commands', async (route) => {
    await gone;
    await route.continue();
  });
  await index.click();
  await expect.poll(() => field(page).inputValue(), PATIENCE).toBe('');
  await field(page).fill('search: rolled back to v11');
  await expect.poll(() => maker.inputValue(), PATIENCE).toBe('');
  await maker.selectOption({ label: 'Sabrina' });
  go();
  await row(page, 'eu-1/cards: drained').getByText('Marty').waitFor();
  await inField(page);
  expect(await maker.locator('option:checked').innerText()).toBe('Sabrina');
  await field(page).press('Enter');
  await row(page, 'rolled back to v11').getByText('Sabrina').waitFor();
});

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)('a change is told in a line, seen by all, and undone in order, at %s', async (_, options) => {
  await furnish();
  const [sabrina, marty, emma] = [
    await enter('sabrina', options),
    await enter('marty', options),
    await enter('emma', options),
  ];
  await ledger(sabrina).getByText('Nothing that is known of.').waitFor();

  // A key, a line and Enter. The only service that is affected need not be named.
  await marty.keyboard.press('c');
  await inField(marty);
  await marty.keyboard.type('rolled back to v11');
  await marty.keyboard.press('Enter');
  await row(sabrina, 'rolled back to v11').getByText('search').waitFor();
  await ledger(sabrina).getByText('1 service').waitFor();
  await expect.poll(() => field(marty).inputValue(), PATIENCE).toBe('');
  // Whoever commands and has given operations away is offered nothing that is operations' to do.
  expect(await row(sabrina, 'rolled back').getByRole('button', { name: 'It is reverted' }).count()).toBe(0);

  // First announced, then said how it went: from the first line of the page.
  await marty.keyboard.type('frontend: cap traffic at 30 %');
  await ledger(marty).getByRole('button', { name: 'I am about to' }).click();
  await row(sabrina, 'cap traffic').getByText('about to be made').waitFor();
  await next(marty).getByText('How did it go?').waitFor();
  await next(marty).getByRole('button', { name: 'It is done' }).click();
  await ledger(sabrina).getByText('2 services').waitFor();

  // From outside operations it is heard, and theirs to sort.
  await emma.keyboard.press('c');
  await inField(emma);
  await emma.keyboard.type('search: I flushed the cache');
  await ledger(emma).getByText('operations sort it').waitFor();
  await emma.keyboard.press('Enter');
  await row(sabrina, 'flushed the cache').getByText('uncoordinated').waitFor();
  await next(marty).getByText('tells of a change that was not coordinated').waitFor();
  await next(marty).getByRole('button', { name: 'Take it in' }).click();
  await expect.poll(() => row(sabrina, 'flushed').getByText('uncoordinated').count(), PATIENCE).toBe(0);

  await further(marty, 'rolled back to v11', 'Say how to undo it…');
  await marty.keyboard.type('deploy v12');
  await marty.keyboard.press('Enter');
  await row(sabrina, 'rolled back').getByText('undo: deploy v12').waitFor();

  // Newest first, service by service.
  await order(sabrina).toEqual(['I flushed the cache', 'rolled back to v11', 'cap traffic at 30 %']);
  await ledger(marty).getByRole('button', { name: 'Undo everything' }).click();
  await ledger(marty).getByText('Undo them in this order').waitFor();
  expect(await ledger(marty).locator('.step').allInnerTexts()).toEqual(['1.', '2.', '3.']);
  expect(await faults(marty)).toEqual([]);
  // Whoever looks on sees the way back, and has nothing to press on it.
  for (const page of [sabrina, emma]) {
    await ledger(page).getByRole('button', { name: 'Undo everything' }).click();
    await ledger(page).getByText('Operations undo them in this order').waitFor();
    expect(await ledger(page).locator('.step').allInnerTexts()).toEqual(['1.', '2.', '3.']);
    expect(await row(page, 'rolled back').getByRole('button', { name: 'It is reverted' }).count()).toBe(0);
  }
  // A note is asked for, and Enter alone goes on.
  await press(marty, 'flushed', 'It is reverted');
  await marty.keyboard.press('Enter');
  // It is said, and the keyboard stays where it was.
  await marty.getByText('Reverted: search, I flushed the cache.').waitFor({ state: 'attached' });
  await inRow(marty).toContain('I flushed the cache');
  expect(await ledger(marty).getByRole('heading').getByRole('button').count(), 'a heading is one').toBe(0);
  // The service that was changed last comes first.
  await order(sabrina).toEqual(['cap traffic at 30 %', 'rolled back to v11']);
  await sabrina.getByRole('button', { name: 'Show 1 change that is over' }).click();
  await row(sabrina, 'flushed')
    .getByText(/^reverted by Marty, \d\d:\d\d$/)
    .waitFor();
  expect(await faults(sabrina)).toEqual([]);
  if (options === TOUCH) {
    // What the keyboard goes to does not hide under what is docked below.
    for (const id of ['change', 'todo']) {
      const free = await marty.evaluate((id) => {
        const field = document.getElementById(id)!;
        field.blur();
        scrollTo(0, 0);
        field.focus();
        const dock = document.querySelector('.dock')!.getBoundingClientRect();
        return dock.top - field.getBoundingClientRect().bottom;
      }, id);
      expect(free, id).toBeGreaterThanOrEqual(0);
    }
    await sabrina.setViewportSize({ width: 320, height: 640 });
    expect(await sabrina.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  }
});

test('nothing is closed while something differs, and what is in the way is settled where it stands', async () => {
  const { sabrina, marty } = await furnish();
  house.say(marty, 'change', '1', 'record', 'search: rolled back to v11');
  house.say(marty, 'change', '1', 'record', 'search: cache off');
  house.say(sabrina, 'phase', '1', 'resolved');
  const page = await enter('sabrina');
  await page.getByRole('button', { name: 'Change…' }).click();
  await page
    .getByRole('dialog', { name: 'Change' })
    .getByRole('button', { name: 'Closed', exact: true })
    .click();
  await page.getByText('Not back to normal: search: 1 “rolled back to v11”').waitFor();
  await page.getByRole('button', { name: 'See what differs' }).click();
  await expect.poll(() => page.evaluate(() => document.activeElement?.id), PATIENCE).toBe('changes');
  await further(page, 'rolled back to v11', 'Keep it for good…');
  await page.keyboard.type('v11 is better');
  await page.keyboard.press('Enter');
  await further(page, 'cache off', 'Hand it to a bug…');
  await page.keyboard.type('https://bugs.example/9');
  await page.keyboard.press('Enter');
  // What is settled stands where it was for as long as the hand is there.
  await row(page, 'rolled back')
    .getByText(/^kept for good by Sabrina, \d\d:\d\d — v11 is better$/)
    .waitFor();
  await row(page, 'cache off').getByRole('link', { name: 'https://bugs.example/9' }).waitFor();
  await page.locator('#composer').first().focus();
  await page.mouse.move(5, 5);
  await ledger(page).getByText('Nothing that is known of.').waitFor();
  house.say(sabrina, 'phase', '1', 'closed');
  // A late record opens it again: for Sabrina, who had it last.
  await next(page).getByText('This is over.').waitFor();
  await page.keyboard.press('Escape');
  await field(page).fill('search: restarted it');
  await ledger(page).getByText('opens it again, as resolved').waitFor();
  await field(page).press('Enter');
  await row(page, 'restarted it').getByText('uncoordinated').waitFor();
  await next(page).getByRole('button', { name: 'Take it in' }).waitFor();
});

test('what others wrote about a change is not replaced unread, and no row moves under a hand', async () => {
  const { marty } = await furnish();
  house.say(marty, 'change', '1', 'record', 'search: rolled back to v11', '--undo', 'deploy v12');
  const [page, second] = [await enter('marty'), await enter('sabrina')];
  await further(page, 'rolled back to v11', 'Say how to undo it…');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('flip the flag');
  // Sabrina is quicker: she keeps planning, which nobody else has.
  await further(second, 'rolled back to v11', 'Say how to undo it…');
  await second.keyboard.press('Control+a');
  await second.keyboard.type('deploy v12.1');
  await second.keyboard.press('Enter');
  await row(page, 'rolled back').getByText('undo: deploy v12.1').waitFor();
  await page.keyboard.press('Enter');
  await row(page, 'rolled back').getByRole('alert').getByText('Sabrina wrote “deploy v12.1”').waitFor();
  // A change that comes meanwhile stands below for as long as a hand is here.
  house.say(marty, 'change', '1', 'record', 'search: cache off');
  await row(page, 'cache off').waitFor();
  await order(page).toEqual(['rolled back to v11', 'cache off']);
  await page.keyboard.press('Enter');
  await row(page, 'rolled back').getByText('undo: flip the flag').waitFor();
  await page.locator('#composer').first().focus();
  await page.mouse.move(5, 5);
  await order(page).toEqual(['cache off', 'rolled back to v11']);
});

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)('how a change went leads to what shows it, at %s', async (_, options) => {
  const { marty } = await furnish();
  house.say(marty, 'run', '1', '--service', 'search', '--what', 'drained eu-1', '--', 'echo', '5 pods');
  const page = await enter('marty', options);
  await row(page, 'drained eu-1')
    .getByText(/^done, says Marty, \d\d:\d\d — exit code 0 after /)
    .waitFor();
  // Whoever undoes it may say how, and choose what shows it.
  await press(page, 'drained eu-1', 'It is reverted');
  await page.keyboard.type('undrained');
  expect(await faults(page)).toEqual([]);
  await page.getByRole('combobox', { name: 'What shows it, if something does' }).selectOption({ index: 1 });
  await page.getByRole('textbox', { name: 'How it was undone, if you like' }).press('Enter');
  await row(page, 'drained eu-1')
    .getByText(/^reverted by Marty, \d\d:\d\d — undrained evidence/)
    .waitFor();
  // What differs after all stands elsewhere from then on; the keyboard stays in the list.
  await page.locator('#composer').first().focus();
  await page.mouse.move(5, 5);
  await page.getByRole('button', { name: 'Show 1 change that is over' }).click();
  await further(page, 'drained eu-1', 'It differs after all');
  await page.getByText('Differs after all: search, drained eu-1.').waitFor({ state: 'attached' });
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest('#changes') !== null), PATIENCE)
    .toBe(true);
  await press(page, 'drained eu-1', 'It is reverted');
  await page.getByRole('combobox', { name: 'What shows it, if something does' }).selectOption({ index: 1 });
  await page.getByRole('textbox', { name: 'How it was undone, if you like' }).press('Enter');
  await row(page, 'drained eu-1')
    .getByRole('button', { name: /^evidence ?, entry \d+$/ })
    .click();
  const shown = page.locator('.timeline [data-entry]:focus');
  await shown.getByRole('link', { name: /^Save / }).waitFor();
  expect(await faults(page)).toEqual([]);
});

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)(
  'who is asked how a change is undone is led to where that is written, at %s',
  async (_, options) => {
    const { marty } = await furnish();
    house.say(marty, 'change', '1', 'record', 'search: rolled back to v11');
    await house.kill();
    await house.serve({
      LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!,
      FAKETIME: '+11m',
      FAKETIME_DISABLE_SHM: '1',
    });
    const page = await enter('marty', options);
    if (options === TOUCH) await page.getByRole('button', { name: 'Timeline', exact: true }).click();
    await next(page).getByText('How would it be undone?').waitFor();
    await next(page).getByRole('button', { name: 'Say how…' }).click();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')), PATIENCE)
      .toBe('How to undo it');
    await page.keyboard.type('deploy v12');
    await page.keyboard.press('Enter');
    await row(page, 'rolled back').getByText('undo: deploy v12').waitFor();
  },
);

test('of two changes that were announced, a thumb that presses twice tells of one', async () => {
  const { marty } = await furnish();
  for (const what of ['search: drain eu-1', 'frontend: cap traffic'])
    house.say(marty, 'change', '1', 'announce', what);
  const page = await enter('marty', TOUCH);
  await next(page).getByText('drain eu-1').waitFor();
  // The second press comes as soon as the button can be pressed again.
  const twice = page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const line = document.querySelector('.next')!;
        const again = (): void => {
          const go = line.querySelector<HTMLButtonElement>('.go');
          if (!line.textContent.includes('cap traffic') || !go || go.disabled)
            return void requestAnimationFrame(again);
          go.click();
          resolve();
        };
        again();
      }),
  );
  await next(page).getByRole('button', { name: 'It is done' }).click();
  await twice;
  await expect.poll(() => next(page).getAttribute('aria-disabled'), PATIENCE).toBe(null);
  await row(page, 'cap traffic').getByText('about to be made').waitFor();
  expect(await faults(page)).toEqual([]);
  await next(page).getByRole('button', { name: 'It is done' }).click();
  await row(page, 'cap traffic').getByText('about to be made').waitFor({ state: 'detached' });
});

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)('what the gate sees of what is under way stands under it, at %s', async (_, options) => {
  const { marty } = await furnish();
  house.say(marty, 'change', '1', 'announce', 'search: back to v11');
  const page = await enter('emma', options);
  await row(page, 'back to v11').getByText('about to be made').waitFor();
  house.say(marty, 'gate', '--service', 'search', '--action', 'deploy v11');
  await row(page, 'back to v11').getByText('passed the gate as: deploy v11, by').waitFor();
  house.say(marty, 'change', '1', 'done', '1');
  await row(page, 'back to v11').getByText('about to be made').waitFor({ state: 'detached' });
  await order(page).toEqual(['back to v11']);
  await row(page, 'back to v11').getByText('passed the gate as: deploy v11, by').waitFor();
  expect(await faults(page)).toEqual([]);
});

const asking = (page: Page) => page.getByRole('textbox', { name: 'What you would change, and why' });
const permitted = (page: Page) => page.getByRole('list', { name: 'Who else may change services' });

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)(
  'who is outside operations asks, is let with one button, and is told no, at %s',
  async (_, options) => {
    await furnish();
    const [marty, emma] = [await enter('marty', options), await house.enter('emma', options)];
    // Where the gate's link leads.
    await emma.goto(`${house.url}/incidents/1?permission=search`);
    await expect.poll(() => emma.evaluate(() => document.activeElement?.id), PATIENCE).toBe('permission');
    await emma.keyboard.type('flush the cache');
    await emma.keyboard.press('Enter');
    await permitted(emma).getByText('flush the cache').waitFor();
    await next(marty).getByText('Emma asks to change search:').waitFor();
    await next(marty).getByText('flush the cache').waitFor();
    expect(await faults(marty)).toEqual([]);
    await next(marty).getByRole('button', { name: 'Let them for 30 min' }).click();
    await permitted(emma).getByText('Emma may change search').waitFor();
    // Now it is hers to announce, within these bounds.
    await field(emma).fill('flush the cache');
    await ledger(emma).getByRole('button', { name: 'I am about to' }).click();
    await row(marty, 'flush the cache').waitFor();
    expect(await row(marty, 'flush the cache').getByText('uncoordinated').count()).toBe(0);
    await permitted(marty).getByRole('button', { name: 'End it: the permission of Emma' }).click();
    await asking(emma).waitFor();
    await asking(emma).fill('flush it again');
    await asking(emma).press('Enter');
    await next(marty).getByText('flush it again').waitFor();
    await next(marty).getByRole('button', { name: 'Not now' }).click();
    await ledger(emma).getByText('Marty does not give Emma permission').waitFor();
    await asking(emma).waitFor();
    expect(await permitted(emma).count()).toBe(0);
  },
);

test('the glass is broken in two steps, and everybody is told', async () => {
  await furnish();
  const [sabrina, emma] = [await enter('sabrina'), await enter('emma')];
  await asking(emma).fill('the disk fills');
  // A thumb that presses twice breaks nothing.
  await ledger(emma).getByRole('button', { name: 'It cannot wait…' }).dblclick();
  await ledger(emma).getByText('You change search on your own for 30 minutes').waitFor();
  expect(await faults(emma)).toEqual([]);
  expect(await permitted(sabrina).count()).toBe(0);
  await ledger(emma).getByRole('button', { name: 'Break the glass' }).click();
  await permitted(sabrina).getByText('broke the glass: the disk fills').waitFor();
  await sabrina.locator('main header').getByText('broke the glass, ends').waitFor();
  await sabrina.getByText('Emma broke the glass and changes search on their own until').first().waitFor();
  await field(emma).fill('emptied it');
  await ledger(emma).getByRole('button', { name: 'I am about to' }).click();
  await row(sabrina, 'emptied it').getByText('uncoordinated').waitFor();
});
