// Exit criteria, to-dos and what is said of the written parts: in the document, for everybody at once, and in the way of
// resolving until they are settled.
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { House, PHONE } from './house';
import { PATIENCE } from './search-fails';
import { saved } from './written';

let house: House;
afterEach(async () => await house.close());

const TOUCH: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true };

const criteria = (page: Page) => page.getByRole('group', { name: /^Exit criteria/ });
const todos = (page: Page) => page.getByRole('group', { name: /^To-do list and bugs filed/ });
const row = (page: Page, words: string) => page.locator('.list li').filter({ hasText: words });
const box = (page: Page, words: string) => page.getByRole('checkbox', { name: words });
const editor = (page: Page, part: string) => page.getByRole('textbox', { name: part, exact: true });
const focused = (page: Page, what: 'aria-label' | 'textContent' = 'aria-label') =>
  expect.poll(
    () =>
      page.evaluate((what) => {
        const at = document.activeElement;
        return what === 'textContent' ? at?.textContent : at?.getAttribute(what);
      }, what),
    PATIENCE,
  );
const order = (page: Page) =>
  expect.poll(() => page.locator('.list li .words > bdi').allInnerTexts(), PATIENCE);

/** Sabrina commands and Marty is here; Emma is not. */
async function furnish(): Promise<{ sabrina: string; marty: string }> {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const marty = house.person('marty', 'Marty');
  house.person('emma', 'Emma');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing for everyone', '--severity', 'sev1');
  house.say(marty, 'join', '1');
  return { sabrina, marty };
}

async function enter(handle: string, options: BrowserContextOptions = {}, path = ''): Promise<Page> {
  const page = await house.enter(handle, options);
  await page.goto(`${house.url}/incidents/1${path}`);
  await page.getByRole('heading', { name: 'Exit criteria' }).waitFor();
  return page;
}

const press = async (page: Page, words: string, act: string): Promise<void> => {
  await page.getByRole('button', { name: `More to do with: ${words}` }).click();
  await row(page, words).getByRole('button', { name: act, exact: true }).click();
};

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)('two people keep the lists together, each at %s', async (_, options) => {
  await furnish();
  const [sabrina, marty] = [await enter('sabrina', options), await enter('marty', options)];
  await criteria(sabrina).getByText('Write down how everybody will know').waitFor();
  // Whoever may not add one is told who does, and is offered nothing.
  await criteria(marty).getByText('Planning writes down here').waitFor();
  expect(await criteria(marty).getByRole('textbox').count()).toBe(0);

  await sabrina.keyboard.press('x');
  await focused(sabrina).toBe('A new exit criterion');
  await sabrina.keyboard.type('Errors below 0.1 % for an hour');
  await sabrina.keyboard.press('Enter');
  await row(marty, 'Errors below 0.1 %').waitFor();
  await sabrina.keyboard.type('Traffic back at 100 %');
  await sabrina.keyboard.press('Enter');
  await marty.keyboard.press('a');
  await focused(marty).toBe('A new to-do');
  await marty.keyboard.type('Warm the cache https://bugs.example/5554823');
  await marty.keyboard.press('Enter');
  await row(sabrina, 'Warm the cache').getByRole('link', { name: 'bug 5554823' }).waitFor();
  expect(await box(marty, 'Traffic back').isDisabled()).toBe(true);
  expect(await row(marty, 'Traffic back').getByRole('button').count(), 'nothing that he may not do').toBe(0);

  await row(marty, 'Warm the cache').getByRole('button', { name: 'Take it: Warm the cache' }).click();
  await row(sabrina, 'Warm the cache').locator('.who').getByText('Marty').waitFor();
  await press(sabrina, 'Errors below', 'Assign…');
  await sabrina.getByRole('option', { name: /Marty/ }).click();
  expect(await sabrina.getByRole('option', { name: /Emma/ }).count(), 'only those who are here').toBe(0);
  await row(marty, 'Errors below').locator('.who').getByText('Marty').waitFor();

  await box(sabrina, 'Errors below').click();
  await row(marty, 'Errors below').getByText('Sabrina').waitFor();
  await order(marty).toEqual(['Traffic back at 100 %', 'Errors below 0.1 % for an hour', 'Warm the cache']);
  await criteria(marty).getByText('1 of 2 met').waitFor();
  // The keyboard stays with what was ticked.
  await expect
    .poll(
      () => box(sabrina, 'Errors below').evaluate((element) => element === document.activeElement),
      PATIENCE,
    )
    .toBe(true);
  // To open it again is asked for twice.
  await box(sabrina, 'Errors below').click();
  await focused(sabrina, 'textContent').toBe('Leave it met');
  await row(sabrina, 'Errors below').getByRole('button', { name: 'Open it again' }).click();
  await criteria(marty).getByText('0 of 2 met').waitFor();

  await press(sabrina, 'Traffic back', 'Reword');
  await sabrina.keyboard.press('Control+a');
  await sabrina.keyboard.type('All traffic is back');
  await sabrina.keyboard.press('Enter');
  await row(marty, 'All traffic is back').waitFor();
  await press(sabrina, 'All traffic', 'Waive…');
  await sabrina.keyboard.type('that cell is gone');
  await sabrina.keyboard.press('Enter');
  await row(marty, 'All traffic is back').getByText('waived: that cell is gone').waitFor();
  await press(marty, 'Warm the cache', 'Change the bug');
  await marty.keyboard.press('Control+a');
  await marty.keyboard.type('http://bugs.example/1');
  await marty.keyboard.press('Enter');
  await row(marty, 'Warm the cache').getByRole('alert').getByText('starts with https://').waitFor();
  await marty.keyboard.press('Escape');
  await focused(marty).toBe('More to do with: Warm the cache');
  for (const page of [sabrina, marty]) expect(await faults(page)).toEqual([]);
  await box(marty, 'Warm the cache').click();
  await todos(sabrina).getByText('1 of 1 done').waitFor();
});

test.each(['light', 'dark'] as const)(
  'the lists fit 320 pixels, whatever is in them (%s)',
  async (colorScheme) => {
    const { sabrina, marty } = await furnish();
    const long = 'Donaudampfschifffahrtsgesellschaft'.repeat(5);
    house.say(sabrina, 'criterion', '1', 'add', long);
    house.say(sabrina, 'criterion', '1', 'assign', '1', 'marty');
    house.say(marty, 'todo', '1', 'add', '<img src=x onerror="document.title=1"> שירות');
    house.say(marty, 'todo', '1', 'link', '1', `https://${'very-'.repeat(20)}long.example/bug`);
    house.say(marty, 'todo', '1', 'finish', '1');
    for (let at = 1; at <= 9; at += 1) {
      house.say(marty, 'todo', '1', 'add', `Done long ago ${at}`);
      house.say(marty, 'todo', '1', 'finish', String(at + 1));
    }
    for (const path of ['', '/document']) {
      const page = await enter('sabrina', { ...TOUCH, colorScheme }, path);
      await page.setViewportSize({ width: 320, height: 844 });
      await page.getByRole('button', { name: `More to do with: ${long}` }).click();
      await page.getByRole('button', { name: 'Waive…' }).click();
      const tooWide = () =>
        page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(await tooWide(), path).toBe(0);
      expect(await faults(page)).toEqual([]);
      expect(await todos(page).getByRole('listitem').count()).toBe(6);
      await page.getByRole('button', { name: 'Show 4 more that are done' }).click();
      expect(await todos(page).getByRole('listitem').count()).toBe(10);
      expect(await page.title()).not.toBe('1');
      await page.context().close();
    }
  },
);

/** Sabrina asks for resolved while two criteria are open. */
async function asksForResolved(): Promise<{ sabrina: string; page: Page; panel: Locator }> {
  const { sabrina } = await furnish();
  for (const words of ['Errors below 0.1 %', 'Traffic back at 100 %'])
    house.say(sabrina, 'criterion', '1', 'add', words);
  house.say(sabrina, 'phase', '1', 'mitigated');
  const page = await enter('sabrina');
  await page.getByRole('button', { name: 'Change…' }).click();
  const panel = page.getByRole('dialog', { name: 'Change' });
  await panel.getByRole('button', { name: 'Resolved' }).click();
  return { sabrina, page, panel };
}

test('resolving over open criteria leads to settling them, right there', async () => {
  const { page, panel } = await asksForResolved();
  await panel.getByText('Not met yet: 1 “Errors below 0.1 %”').waitFor();
  expect(await faults(page)).toEqual([]);
  await panel.getByRole('button', { name: 'It is met: Errors below 0.1 %' }).click();
  await panel
    .getByRole('listitem')
    .filter({ hasText: 'Errors below' })
    .getByText('met', { exact: true })
    .waitFor();
  expect(await panel.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  await panel.getByRole('button', { name: 'Waive: Traffic back at 100 %' }).click();
  await page.keyboard.type('the cell is gone');
  await page.keyboard.press('Enter');
  await panel.getByText('Everything is settled.').waitFor();
  expect(await faults(page)).toEqual([]);
  // The keyboard is there already.
  await page.keyboard.press('Enter');
  await page.locator('.phase [aria-current]').getByText('Resolved').waitFor();
});

test('the last criterion met by somebody else takes nobody from what they write', async () => {
  const { sabrina, page, panel } = await asksForResolved();
  await panel.getByRole('alert').getByText('Not met yet').waitFor();
  expect(await panel.getByRole('alert').getByRole('button').count(), 'what is read aloud').toBe(0);
  await panel.getByRole('button', { name: 'Waive: Traffic back at 100 %' }).click();
  await focused(page).toBe('Why it may stay as it is: Traffic back at 100 %');
  await page.keyboard.press('Escape');
  await focused(page).toBe('Waive: Traffic back at 100 %');
  await saved(page);
  await editor(page, 'Working notes').focus();
  await page.keyboard.type('the cell is ');
  for (const id of ['1', '2']) house.say(sabrina, 'criterion', '1', 'meet', id);
  await panel.getByRole('button', { name: 'Try again' }).waitFor();
  await page.keyboard.type('gone');
  await page.keyboard.press('Enter');
  await editor(page, 'Working notes').getByText('the cell is gone').waitFor();
  expect(await panel.getByRole('button', { name: 'Try again' }).count(), 'it is not resolved').toBe(1);
});

test('no row moves or turns under a hand', async () => {
  const { sabrina } = await furnish();
  for (const words of ['Errors below 0.1 %', 'Traffic back', 'All cells drained'])
    house.say(sabrina, 'criterion', '1', 'add', words);
  const page = await enter('sabrina');
  await box(page, 'Traffic back').hover();
  house.say(sabrina, 'criterion', '1', 'meet', '1');
  await criteria(page).getByText('1 of 3 met').waitFor();
  await order(page).toEqual(['Errors below 0.1 %', 'Traffic back', 'All cells drained']);
  // Somebody is quicker than the hand: what it meant is done, and is not undone by it.
  await page.mouse.down();
  house.say(sabrina, 'criterion', '1', 'meet', '2');
  await criteria(page).getByText('2 of 3 met').waitFor();
  await page.mouse.up();
  expect(await box(page, 'Traffic back').isChecked()).toBe(true);
  expect(await page.getByRole('button', { name: 'Open it again' }).count()).toBe(0);
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await order(page).toEqual(['All cells drained', 'Errors below 0.1 %', 'Traffic back']);
  await box(page, 'Errors below').focus();
  await page.keyboard.press('Space');
  await focused(page, 'textContent').toBe('Leave it met');
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await criteria(page).getByText('2 of 3 met').waitFor();
  // What was waived is not ticked.
  await press(page, 'All cells', 'Waive…');
  await page.keyboard.type('nobody uses them');
  await page.keyboard.press('Enter');
  await row(page, 'All cells').getByText('waived: nobody uses them').waitFor();
  await criteria(page).getByText('2 of 3 met, 1 waived').waitFor();
  expect(await row(page, 'All cells').getByRole('checkbox').count()).toBe(0);
  expect(await faults(page)).toEqual([]);
  await press(page, 'All cells', 'Open it again');
  await box(page, 'All cells').waitFor();
});

test('what is typed is taken as it is, or comes back as it was', async () => {
  await furnish();
  const page = await enter('sabrina', WITHOUT_WORKER);
  const link = `https://bugs.example/${'long-'.repeat(30)}end`;
  const task = 'Warm the cache of every cell that was drained, and look whether it stays warm';
  const field = page.getByRole('textbox', { name: 'A new to-do' });
  await field.fill(`${task} ${link}`);
  await page.keyboard.press('Enter');
  await expect
    .poll(() => row(page, 'Warm the cache').getByRole('link').getAttribute('href'), PATIENCE)
    .toBe(link);
  const words = 'more than fits '.repeat(20).trim();
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  await between(page, '**/commands', async (route) => (await gate, await route.continue()));
  for (const said of [words, 'Ask the capacity desk']) {
    await field.fill(said);
    await page.keyboard.press('Enter');
  }
  open();
  await todos(page).getByRole('alert').waitFor();
  await expect.poll(() => field.inputValue(), PATIENCE).toBe(words);
  await todos(page).getByText('Not added yet: Ask the capacity desk').waitFor();
  await field.fill('Fits');
  await page.keyboard.press('Enter');
  await row(page, 'Fits').waitFor();
  await expect.poll(() => field.inputValue(), PATIENCE).toBe('Ask the capacity desk');
});

test('of two who reword one at once, the later sees what the earlier wrote and decides', async () => {
  const { marty } = await furnish();
  house.say(marty, 'todo', '1', 'add', 'Warm the cache');
  const sabrina = await enter('sabrina');
  await press(sabrina, 'Warm the cache', 'Reword');
  await sabrina.keyboard.press('Control+a');
  await sabrina.keyboard.type('Warm the cache of eu-1');
  house.say(marty, 'todo', '1', 'reword', '1', 'Warm both caches');
  await row(sabrina, 'Warm both caches').waitFor();
  await sabrina.keyboard.press('Enter');
  await sabrina.getByRole('alert').getByText('Marty wrote “Warm both caches” as to-do 1 meanwhile').waitFor();
  const field = sabrina.getByRole('textbox', { name: 'In other words' });
  expect(await field.inputValue(), 'what she typed').toBe('Warm the cache of eu-1');
  await field.press('Enter');
  await row(sabrina, 'Warm the cache of eu-1').waitFor();
  expect(await sabrina.getByRole('alert').count()).toBe(0);
});

test('nobody says of words that they have not got that they are still true', async () => {
  const { sabrina } = await furnish();
  house.say(sabrina, 'still-true', '1', 'summary');
  const page = await house.enter('sabrina');
  await page.routeWebSocket(/\/document/, (socket) => socket.close());
  await page.goto(`${house.url}/incidents/1`);
  await page.getByText('when this page has the newest words').first().waitFor();
  expect(await page.getByRole('button', { name: 'Still true: Summary' }).count()).toBe(0);
});

test('a line of the notes becomes a to-do by one key, and leads there', async () => {
  const { sabrina } = await furnish();
  const [marty, desk] = [await enter('marty'), await enter('sabrina')];
  await saved(marty);
  await editor(marty, 'Working notes').focus();
  await marty.keyboard.type('- [ ] ask the capacity desk');
  await marty.keyboard.press('Alt+Enter');
  await row(desk, 'ask the capacity desk').waitFor();
  await editor(desk, 'Working notes')
    .getByRole('button', { name: /Show entry \d+ of the timeline/ })
    .waitFor();
  // It went on behind the sign, and is no to-do twice.
  await marty.keyboard.press('Alt+Enter');
  await marty.getByText('There is nothing here that is no to-do yet.').waitFor({ state: 'attached' });
  await marty.keyboard.press('Enter');
  await marty.keyboard.press('Backspace');
  await marty.keyboard.type('watch eu-1');
  await marty.keyboard.press('Shift+Home');
  await marty
    .locator('[data-part="notes"]')
    .getByRole('button', { name: /^to-do/ })
    .click();
  await row(desk, 'watch eu-1').waitFor();
  expect(await todos(desk).getByRole('listitem').count()).toBe(2);
  // Undoing takes the sign out of the text, and nothing else.
  const signs = () => editor(desk, 'Working notes').locator('.md-entry').count();
  await expect.poll(signs, PATIENCE).toBe(2);
  await marty.keyboard.press('Control+z');
  await expect.poll(signs, PATIENCE).toBe(1);
  await editor(desk, 'Working notes').getByText('watch eu-1').waitFor();
  await marty.keyboard.press('Escape');
  await marty.keyboard.press('?');
  for (const words of ['Add a to-do', 'While you write: a to-do of the line, or of what is selected'])
    await marty.getByRole('dialog').getByText(words).waitFor();
  expect(await faults(marty)).toEqual([]);
  expect(sabrina).toBeTruthy();
});

test('a line becomes a to-do and says so, though the whole document was closed meanwhile', async () => {
  const { sabrina } = await furnish();
  const page = await enter('marty', WITHOUT_WORKER);
  await saved(page);
  await editor(page, 'Working notes').focus();
  await page.keyboard.type('ask the capacity desk');
  await saved(page);
  const held: (() => void)[] = [];
  await between(page, '**/commands', async (route) => {
    await new Promise<void>((go) => held.push(go));
    await route.continue();
  });
  await page.keyboard.press('Alt+Enter');
  await expect.poll(() => held.length, PATIENCE).toBe(1);
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('b');
  await page.getByRole('heading', { name: 'Board' }).waitFor();
  held[0]!();
  const desk = await enter('sabrina');
  await editor(desk, 'Working notes')
    .getByText(/ask the capacity desk #\d+/)
    .waitFor();
  expect(house.say(sabrina, 'show', '1').split('ask the capacity desk').length).toBeGreaterThan(1);
});

test('a to-do stays one however long the incident is, and what did not become one is said', async () => {
  const { marty } = await furnish();
  const page = await enter('marty', WITHOUT_WORKER);
  await saved(page);
  await editor(page, 'Working notes').focus();
  await page.keyboard.type('ask the capacity desk');
  await page.keyboard.press('Alt+Enter');
  await row(page, 'ask the capacity desk').waitFor();
  await editor(page, 'Working notes')
    .getByText(/ask the capacity desk #\d+/)
    .waitFor();
  await saved(page);
  // So much happens that the page does not load it any more.
  for (let at = 0; at < 205; at += 1)
    await fetch(`${house.url}/api/v1/incidents/1/commands`, {
      method: 'POST',
      headers: { authorization: `Bearer ${marty}`, 'content-type': 'application/json' },
      body: JSON.stringify({ request_id: crypto.randomUUID(), command: 'note', text: `Note ${at}` }),
    }).then(({ status }) => expect(status).toBe(200));
  await page.reload();
  await saved(page);
  await editor(page, 'Working notes').focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.press('Alt+Enter');
  await page.getByText('There is nothing here that is no to-do yet.').waitFor({ state: 'attached' });
  expect(await todos(page).getByRole('listitem').count()).toBe(1);
  let asked = 0;
  const no = { status: 429, contentType: 'application/problem+json' };
  const body = JSON.stringify({ code: 'busy', title: 'Busy', status: 429, detail: 'Too many at once.' });
  await between(page, '**/commands', (route) =>
    (asked += 1) > 1 ? route.fulfill({ ...no, body }) : route.continue(),
  );
  await page.keyboard.press('Enter');
  await page.keyboard.insertText('one\ntwo\nthree');
  await page.keyboard.press('Control+Shift+Home');
  await page.keyboard.press('Alt+Enter');
  await page.getByText('1 of 3 became to-dos. Too many at once.').first().waitFor();
  await expect.poll(() => todos(page).getByRole('listitem').count(), PATIENCE).toBe(2);
});

test('a part says since when it is true, and looks old when it is', async () => {
  const { sabrina } = await furnish();
  house.say(sabrina, 'still-true', '1', 'summary');
  const ahead = {
    LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!,
    FAKETIME: '+21m',
    FAKETIME_DISABLE_SHM: '1',
  };
  await house.kill();
  await house.serve(ahead);
  const [desk, marty] = [await enter('sabrina'), await enter('marty')];
  const stamp = (page: Page, part: string) => page.locator(`[data-part="${part}"] .stamp`);
  await stamp(marty, 'summary')
    .getByText(/still true as of (\d\d-\d\d )?\d\d:\d\d · Sabrina/)
    .waitFor();
  await marty.locator('[data-part="summary"] .stamp.late').waitFor();
  await stamp(marty, 'status').getByText('nobody has said yet').waitFor();
  expect(await marty.getByRole('button', { name: /^Still true: / }).count(), 'it is not his to say').toBe(0);
  expect(await faults(marty)).toEqual([]);
  await desk.getByRole('button', { name: 'Still true: Summary' }).click();
  await marty.locator('[data-part="summary"] .stamp.late').waitFor({ state: 'detached' });
  await marty.locator('[data-part="status"] .stamp.late').waitFor();
  await desk.getByRole('button', { name: 'Still true: Detailed status' }).click();
  await stamp(marty, 'status')
    .getByText(/still true as of (\d\d-\d\d )?\d\d:\d\d · Sabrina/)
    .waitFor();
  await saved(desk);
  await editor(desk, 'Summary').focus();
  await desk.keyboard.type('It is worse.');
  await stamp(marty, 'summary').getByText('changed since').waitFor();
  expect(await faults(desk)).toEqual([]);
});

test('whoever takes command reads what is written, with what changed; later anybody sees what they saw', async () => {
  const { sabrina, marty } = await furnish();
  const desk = await enter('sabrina');
  await saved(desk);
  const write = async (part: string, words: string): Promise<void> => {
    await editor(desk, part).focus();
    await desk.keyboard.press('Control+a');
    await desk.keyboard.insertText(words);
    await saved(desk);
  };
  await write('Summary', 'Search fails for 92 % of queries.');
  await write('Working notes', 'The cache does not help.');
  house.say(sabrina, 'offer', '1', 'command', 'marty');
  const his = await enter('marty');
  await his.getByRole('button', { name: 'Read the briefing' }).first().click();
  const briefing = his.getByRole('dialog', { name: 'Taking command' });
  await briefing.getByText('Search fails for 92 % of queries.').waitFor();
  house.say(marty, 'decline', '1', 'command');
  await write('Summary', 'Search fails for 12 % of queries.');
  house.say(sabrina, 'offer', '1', 'command', 'marty');
  await his.keyboard.press('Escape');
  await his.keyboard.press('b');
  await briefing.getByText('changed since you looked').waitFor();
  await expect.poll(() => briefing.locator('del').allTextContents(), PATIENCE).toEqual(['[gone:]92[end]']);
  expect(await briefing.locator('ins').allTextContents()).toEqual(['[new:]12[end]']);
  expect(await faults(his)).toEqual([]);
  await briefing.getByRole('button', { name: 'I have command', exact: true }).click();
  await desk.locator('header .lead').getByText('Incident commander Marty').waitFor();
  await write('Summary', 'All is well.');
  const taken = desk.locator('.timeline [data-entry]').filter({ hasText: 'Marty has command' });
  await taken.getByRole('button', { name: /^what was written then/ }).click();
  const panel = desk.getByRole('dialog', { name: 'What was written then' });
  await panel.getByText('Search fails for 12 % of queries.').waitFor();
  await panel.getByText('The cache does not help.').waitFor();
  expect(await panel.locator('ins, del').count()).toBe(0);
  expect(await faults(desk)).toEqual([]);
});
