// The state document: many hands at once, none of them lost, whatever happens to the line, the tab and the server.
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE, STORES, type Store } from './house';
import { PATIENCE, type Tokens, bothAreIn } from './search-fails';
import { editor, into, type Part, reads, saved, standing, words } from './written';

let house: House;
afterEach(async () => await house.close());

/** By itself, or because the room has no connection either. */
const away = (page: Page) =>
  page
    .locator('.document')
    .getByText(/^Not connected\.|not connected|not sent; kept|^This browser keeps nothing/)
    .first()
    .waitFor();

async function furnish(store: Store = 'sqlite'): Promise<Tokens> {
  house = new House(store);
  return await bothAreIn(house);
}

async function enter(handle: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await house.enter(handle, options);
  await page.goto(`${house.url}/incidents/1`);
  await saved(page);
  return page;
}

const ALPHABETS = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
/** So many keystrokes of this alphabet, the same in each run and nowhere regular. */
function keystrokes(alphabet: string, count: number): string {
  let seed = alphabet.length;
  const next = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff) >> 8;
  return Array.from({ length: count }, () => alphabet[next() % alphabet.length]).join('');
}

test.each(STORES)(
  'three write into one paragraph through breaks, sleep and kill -9, and no keystroke is lost (%s)',
  async (store) => {
    const { sabrina } = await furnish(store);
    const emma = house.person('emma', 'Emma');
    house.person('brown', 'Doc Brown');
    house.say(emma, 'join', '1');
    house.say(sabrina, 'note', '1', 'All write along.');
    const pages = [await enter('sabrina'), await enter('marty'), await enter('emma')] as const;
    const [desk, train, sleeper] = pages;
    const typed = ['', '', ''];
    const type = async (who: 0 | 1 | 2, count: number): Promise<void> => {
      const more = keystrokes(ALPHABETS[who]!, count);
      typed[who] += more;
      await pages[who].keyboard.type(more, { delay: 3 });
    };
    await into(desk, 'Summary');
    await desk.keyboard.type('()');
    for (const page of [train, sleeper]) await reads(page, 'Summary').toBe('()');
    // All stand in the same place, between the same two letters.
    for (const page of pages) {
      await into(page, 'Summary');
      await page.keyboard.press('ArrowLeft');
    }
    await Promise.all([type(0, 60), type(1, 60), type(2, 60)]);

    await train.context().setOffline(true);
    await away(train);
    const cdp = await sleeper.context().newCDPSession(sleeper);
    await cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
    await Promise.all([type(0, 60), type(1, 60)]);
    // In the middle of typing.
    const typing = type(0, 80);
    await house.kill();
    await typing;
    await away(desk);
    expect(await standing(desk).innerText()).not.toMatch(/\bsaved\b/i);
    await desk
      .locator('.document')
      .getByText(/kept in this browser/)
      .first()
      .waitFor();
    await type(1, 40);
    await house.serve();
    await cdp.send('Page.setWebLifecycleState', { state: 'active' });
    await train.context().setOffline(false);
    await Promise.all([type(0, 40), type(1, 40), type(2, 40)]);

    const fourth = await house.enter('brown');
    await fourth.goto(`${house.url}/incidents/1`);
    const total = typed.join('').length + 2;
    for (const page of [...pages, fourth])
      await expect.poll(async () => (await words(page, 'Summary')).length, { timeout: 60_000 }).toBe(total);
    const text = await words(fourth, 'Summary');
    for (const page of pages) {
      expect(await words(page, 'Summary')).toBe(text);
      await saved(page);
    }
    ALPHABETS.forEach((alphabet, who) => {
      const theirs = [...text].filter((letter) => alphabet.includes(letter)).join('');
      expect(theirs, `what ${who} typed, in its order`).toBe(typed[who]);
    });
  },
);

test('what was written without a server is there when the page is opened again, and is sent', async () => {
  await furnish();
  house.say(house.person('emma', 'Emma'), 'join', '1');
  const before = await enter('marty');
  await into(before, 'Working notes');
  await before.keyboard.type('Before. ');
  await saved(before);
  await house.kill();
  await away(before);
  await before.keyboard.type('Nobody else has read this yet.');
  await before.locator('[data-part="notes"]').getByText('not sent, kept here').waitFor();
  // That is said from the first word on; the last ones follow at once. The window goes when they are on the disk, too: one
  // turn behind what is being written, and one behind what waited for that.
  await before.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('wardroom.document');
      request.onsuccess = () => resolve(request.result);
    });
    for (let turn = 0; turn < 2; turn += 1)
      await new Promise<void>((resolve) => {
        const transaction = database.transaction('pieces', 'readwrite');
        transaction.oncomplete = () => resolve();
        transaction.objectStore('pieces').count();
      });
    database.close();
  });
  const context = before.context();
  await before.close();
  await house.serve();
  const emma = await enter('emma');
  await reads(emma, 'Working notes').toBe('Before. ');
  const after = await context.newPage();
  await after.goto(`${house.url}/incidents/1`);
  await reads(after, 'Working notes').toBe('Before. Nobody else has read this yet.');
  await reads(emma, 'Working notes').toBe('Before. Nobody else has read this yet.');
  await saved(after);
});

test('signing out throws away what this browser keeps, and warns of words that were not sent', async () => {
  await furnish();
  const page = await enter('marty');
  const databases = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  await into(page, 'Working notes');
  await page.keyboard.type('Kept. ');
  await saved(page);
  expect(await databases()).toContain('wardroom.document');
  // Words of another window, which closed before it could send them.
  await page.evaluate(async () => {
    const { cursor } = await (await fetch('/api/v1/incidents/1')).json();
    const { person } = await (await fetch('/api/v1/me')).json();
    const place = `${person.id}/1/${cursor.split('.')[0]}`;
    await new Promise<void>((resolve) => {
      const request = indexedDB.open('wardroom.document');
      request.onsuccess = () => {
        const transaction = request.result.transaction('unsent', 'readwrite');
        transaction.objectStore('unsent').put({ place, client: 7 });
        transaction.oncomplete = () => (request.result.close(), resolve());
      };
    });
  });
  await page.goto(`${house.url}/`);
  const signOut = async (): Promise<void> => {
    await page.getByRole('button', { name: 'You: Marty' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  };
  await signOut();
  await page.getByText('the document of #1 is not sent yet').waitFor();
  expect(await faults(page)).toEqual([]);
  await page.getByRole('button', { name: 'Sign out again' }).click();
  await page.getByLabel('Your handle').waitFor();
  await expect.poll(databases, PATIENCE).not.toContain('wardroom.document');
});

test('whoever is not here reads along and cannot write; once they are here they write', async () => {
  const { sabrina, marty } = await furnish();
  house.person('emma', 'Emma');
  const [desk, emma] = [await enter('marty'), await house.enter('emma')];
  await emma.goto(`${house.url}/incidents/1`);
  await emma.locator('.document').getByText('You read along.').waitFor();
  await into(desk, 'Detailed status');
  await desk.keyboard.type('Reindexing runs.');
  await reads(emma, 'Detailed status').toBe('Reindexing runs.');
  await emma.locator('[data-part="status"]').getByText('by Marty').first().waitFor();
  await into(emma, 'Detailed status');
  await emma.keyboard.type('x');
  expect(await words(emma, 'Detailed status')).toBe('Reindexing runs.');
  expect(await faults(emma)).toEqual([]);
  await emma.getByRole('button', { name: "I'm here" }).first().click();
  await expect
    .poll(() => editor(emma, 'Detailed status').getAttribute('contenteditable'), PATIENCE)
    .toBe('true');
  await into(emma, 'Detailed status');
  await emma.keyboard.type(' And I am here.');
  await reads(desk, 'Detailed status').toBe('Reindexing runs. And I am here.');
  await saved(emma);
  // Over, it is to be read; reopened, it is written again.
  for (const phase of ['mitigated', 'resolved', 'closed']) house.say(sabrina, 'phase', '1', phase);
  await desk.locator('.document').getByText('You read along.').waitFor();
  await expect
    .poll(() => editor(desk, 'Detailed status').getAttribute('contenteditable'), PATIENCE)
    .toBe('false');
  house.say(marty, 'reopen', '1');
  await expect
    .poll(() => editor(desk, 'Detailed status').getAttribute('contenteditable'), PATIENCE)
    .toBe('true');
});

test('a session that is ended elsewhere ends the document too', async () => {
  const { marty } = await furnish();
  const page = await enter('marty');
  await into(page, 'Summary');
  await page.keyboard.type('Marty was here.');
  await saved(page);
  await page.evaluate(async () => {
    const { sessions } = await (await fetch('/api/v1/sessions')).json();
    const mine = sessions.find((one: { current: boolean }) => one.current);
    await fetch(`/api/v1/sessions/${mine.id}`, { method: 'DELETE' });
  });
  await page.getByLabel('Your handle').waitFor();
  expect(await page.content()).not.toContain('Marty was here.');
  expect(marty).toBeTruthy();
});

test('people who know no Markdown write with it, see each other, and take back their own words', async () => {
  await furnish();
  const [desk, other] = [await enter('sabrina'), await enter('marty')];
  await into(desk, 'Working notes');
  const toolbar = desk.getByRole('toolbar', { name: 'Format working notes' });
  await toolbar.getByRole('button', { name: 'Heading' }).click();
  await desk.keyboard.type('What we tried');
  await desk.keyboard.press('Enter');
  await toolbar.getByRole('button', { name: 'Task', exact: true }).click();
  await desk.keyboard.type('drain the cell');
  await desk.keyboard.press('Enter');
  await desk.keyboard.type('ask @mar');
  await desk.getByRole('option', { name: /@marty/ }).click();
  await desk.keyboard.press('Enter');
  await desk.keyboard.press('Enter');
  await desk.keyboard.press('Control+b');
  await desk.keyboard.type('warm');
  await desk.keyboard.press('Control+b');
  const notes = editor(other, 'Working notes');
  await notes.locator('.md-h2').filter({ hasText: 'What we tried' }).waitFor();
  await notes.locator('.md-strong').filter({ hasText: 'warm' }).waitFor();
  await notes.locator('.md-person[title="Marty"]').filter({ hasText: '@marty' }).waitFor();
  // The signs are hidden from whoever only reads.
  expect(await words(other, 'Working notes')).not.toMatch(/[#*[\]]/);
  const box = notes.getByRole('checkbox', { name: 'drain the cell' });
  await box.click();
  await expect
    .poll(
      () => editor(desk, 'Working notes').getByRole('checkbox', { name: 'drain the cell' }).isChecked(),
      PATIENCE,
    )
    .toBe(true);
  await desk.locator('[data-part="notes"]').getByText('by Marty').first().waitFor();
  // One's own words go, the tick of the other stays.
  await desk.keyboard.press('Control+z');
  await expect.poll(() => words(other, 'Working notes'), PATIENCE).not.toContain('warm');
  expect(await box.isChecked()).toBe(true);
  // Where the other is, by name; and who wrote what.
  await other.locator('[data-part="notes"]').getByText('Sabrina is in it').waitFor();
  await notes.locator('.other-name').filter({ hasText: 'Sabrina' }).waitFor();
  await into(other, 'Working notes');
  await other.getByRole('button', { name: 'who wrote what' }).last().click();
  await other.getByText(/^Written by Sabrina \d+ %, Marty \d+ %/).waitFor();
  expect(await faults(other)).toEqual([]);
  // An entry of the timeline, by its words.
  await into(other, 'Summary');
  await other.keyboard.type('As in #');
  await other.getByRole('option').first().waitFor();
  // Whatever is typed, no tap on the list is in vain.
  const idle = await other.evaluateHandle(() => {
    const seen = { idle: 0 };
    const is = (): number =>
      (seen.idle += document.querySelectorAll('.cm-tooltip-autocomplete-disabled').length);
    new MutationObserver(is).observe(document.body, { subtree: true, attributeFilter: ['class'] });
    return seen;
  });
  await other.keyboard.type('declared');
  // Until all is typed, the list offers others first.
  await other.getByRole('option').filter({ hasText: 'declared' }).click();
  expect(await idle.evaluate(({ idle }) => idle)).toBe(0);
  await other.keyboard.press('Escape');
  await editor(other, 'Summary').getByRole('button', { name: 'Show entry 1 of the timeline' }).click();
  await expect
    .poll(() => other.evaluate(() => document.activeElement?.getAttribute('data-entry')), PATIENCE)
    .toBe('1');
});

test('the keyboard gets in and out of every part, and the document has a page of its own', async () => {
  await furnish();
  const page = await enter('marty');
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
  for (const [key, part] of [
    ['e', 'Detailed status'],
    ['s', 'Summary'],
    ['w', 'Working notes'],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(focused, PATIENCE).toBe(part);
    await page.keyboard.type('words');
    await page.keyboard.press('Tab');
    expect(await focused(), 'Tab leaves it').toBe('Bold');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe('Italic');
    await page.keyboard.press('Escape');
    await expect.poll(focused, PATIENCE).toBe(part);
    await page.keyboard.press('Escape');
    await expect.poll(focused, PATIENCE).toBe('');
    await page.getByText(`You left ${part}.`).waitFor({ state: 'attached' });
    expect(await words(page, part)).toBe('words');
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Write in the detailed status').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('f');
  await page.waitForURL(`${house.url}/incidents/1/document`);
  await page.getByRole('heading', { name: 'Next incident commander' }).waitFor();
  expect(await words(page, 'Summary'), 'nothing was opened anew').toBe('words');
  expect(await faults(page)).toEqual([]);
  await page.reload();
  await page.getByRole('heading', { name: 'Command hierarchy' }).waitFor();
  await reads(page, 'Working notes').toBe('words');
  await page.getByRole('link', { name: 'back to the room' }).click();
  await page.getByRole('heading', { name: 'Who is here' }).waitFor();
});

const LONG = 'https://graphs.example/'.padEnd(300, 'x');
const STRANGE = `## ${'Donaudampfschifffahrtsgesellschaft'.repeat(3)}\n${LONG}\n| a | ${'b'.repeat(200)} |\n| - | - |\n| <img src=x onerror="document.title=1"> | שירות |\n\nلا يعمل البحث\n\`\`\`\n${'code '.repeat(80)}\n\`\`\`\n`;

test.each(['light', 'dark'] as const)(
  'on a phone, down to 320 pixels, whatever is written (%s)',
  async (colorScheme) => {
    await furnish();
    const page = await enter('marty', { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme });
    await editor(page, 'Working notes').focus();
    await page.keyboard.insertText(STRANGE);
    await saved(page);
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      for (const path of ['/incidents/1', '/incidents/1/document']) {
        await page.goto(house.url + path);
        await saved(page);
        await editor(page, 'Working notes').getByText('لا يعمل').waitFor();
        const tooWide = () =>
          page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(await tooWide(), `${path} at ${width}`).toBe(0);
        expect(await faults(page)).toEqual([]);
        await into(page, 'Working notes');
        expect(await tooWide(), `${path} at ${width}, while it is written`).toBe(0);
        expect(await faults(page)).toEqual([]);
      }
    }
    expect(await page.title()).not.toBe('1');
  },
);

test('a browser that keeps nothing says so, and writes all the same', async () => {
  const { marty } = await furnish();
  const page = await house.enter('marty');
  await page.addInitScript(() =>
    Object.defineProperty(globalThis, 'indexedDB', {
      get: () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    }),
  );
  await page.goto(`${house.url}/incidents/1`);
  await page.locator('.document').getByText('this browser keeps nothing').waitFor();
  await into(page, 'Summary');
  await page.keyboard.type('Written');
  await house.kill();
  await away(page);
  await page.keyboard.type(' on');
  await page.locator('.standing').getByText('leave this window open').waitFor();
  expect(await page.locator('.document').innerText()).not.toContain('kept here');
  await house.serve();
  await page.locator('.standing').waitFor({ state: 'detached' });
  await expect
    .poll(() => page.locator('.document').innerText(), PATIENCE)
    .toContain('saved; this browser keeps nothing');
  const other = await enter('sabrina');
  await reads(other, 'Summary').toBe('Written on');
  expect(marty).toBeTruthy();
});
