// The page without a connection, from its first moment: it opens from what this browser keeps, in the page and in what is
// written nothing is lost, and nothing is said to be saved that is not.
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faint, faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { DESK, House, PASSWORD, PHONE, picture } from './house';
import { isKept } from './keeps';
import { PATIENCE, type Tokens, bothAreIn } from './search-fails';
import { editor, noConnection, note, reads, saved, unsent } from './written';

let house: House;
afterEach(async () => await house.close());

const furnish = async (): Promise<Tokens> => await bothAreIn((house = new House('sqlite')));

/** What stands in a store of the page's database. */
const stored = (page: Page, store: string): Promise<unknown[]> =>
  page.evaluate(
    (store) =>
      new Promise<unknown[]>((resolve) => {
        const request = indexedDB.open('wardroom.page');
        request.onsuccess = () => {
          const all = request.result.transaction(store).objectStore(store).getAll();
          all.onsuccess = () => (request.result.close(), resolve(all.result));
        };
      }),
    store,
  );
const shelf = async (page: Page): Promise<string[]> =>
  ((await stored(page, 'shelf')) as { place: string }[]).map(({ place }) => place).sort();

/** In the room of #1, with everything that is kept of it on this browser's disk. */
async function enter(handle: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await house.enter(handle, options);
  if (options.serviceWorkers !== 'block') await isKept(page);
  await page.goto(`${house.url}/incidents/1`);
  await saved(page);
  await page.locator('.timeline [data-entry="1"]').waitFor({ state: 'attached' });
  await keptWhole(page);
  return page;
}

/** What this browser keeps of #1 is what the page shows. */
async function keptWhole(page: Page): Promise<void> {
  const shown = await page.locator('.timeline [data-entry]').count();
  const entries = async (): Promise<number> => {
    const all = ((await stored(page, 'states')) as string[]).map(
      (one) => JSON.parse(one) as { entries?: unknown[] },
    );
    return all
      .map(({ entries }) => (Array.isArray(entries) ? entries.length : 0))
      .reduce((one, other) => Math.max(one, other), 0);
  };
  await expect.poll(entries, PATIENCE).toBeGreaterThanOrEqual(shown);
}

/** The notes of #1, as the log has them. */
function noted(token: string): { text: string; happened_at: string | null }[] {
  const lines = house.say(token, '--json', 'timeline', '1').trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { kind: string; body: { text: string; happened_at: string | null } })
    .filter(({ kind }) => kind === 'noted')
    .map(({ body }) => body);
}

test('without a server it opens from what was known, takes what is written, and sends it once', async () => {
  const { sabrina } = await furnish();
  const page = await enter('marty');
  await editor(page).focus();
  await page.keyboard.type('Before. ');
  await saved(page);
  const context = page.context();
  await house.kill();
  await page.reload();
  await page.getByRole('heading', { name: /Search is failing for everyone/ }).waitFor();
  await noConnection(page).waitFor();
  await page.getByText(/as of \d\d:\d\d UTC \(\S.* ago\)/).waitFor();
  await page.locator('.timeline [data-entry="1"]').waitFor();
  await reads(page).toBe('Before. ');
  await editor(page).focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('Written alone. ');
  await note(page, 'The cache is cold');
  await unsent(page, 'The cache is cold').getByText('not yet sent').waitFor();
  await note(page, 'Not this one');
  await unsent(page, 'Not this one').getByRole('button', { name: 'Take it back' }).click();
  await expect.poll(() => unsent(page, 'Not this one').count(), PATIENCE).toBe(0);
  await page.locator('[data-part="notes"]').getByText('not sent, kept here').waitFor();
  expect(await page.locator('main').innerText()).not.toMatch(/\bsaved\b/i);
  expect(await faults(page)).toEqual([]);
  await picture(page, 'offline-room');

  // Another tab, at the document's own address; and the windows go.
  const second = await context.newPage();
  await second.goto(`${house.url}/incidents/1/document`);
  await reads(second).toBe('Before. Written alone. ');
  await second.goto(`${house.url}/`);
  await second.getByRole('heading', { name: 'Board' }).waitFor();
  await noConnection(second).waitFor();
  // Whoever would declare is told before they do.
  await second.keyboard.press('d');
  const declaring = second.getByRole('dialog', { name: 'Declare an incident' });
  await declaring.getByText('Wardroom cannot be reached just now').waitFor();
  expect(await faint(second)).toEqual([]);
  await second.keyboard.press('Escape');
  await second
    .getByRole('link', { name: /Search is failing for everyone/ })
    .first()
    .click();
  await unsent(second, 'The cache is cold').getByText('not yet sent').waitFor();
  await note(second, 'And the index is old');
  await unsent(page, 'And the index is old').getByText('not yet sent').waitFor();
  await page.close();
  await second.close();

  // Two windows come back at once, and the server dies once more over it.
  const [third, fourth] = [await context.newPage(), await context.newPage()];
  for (const one of [third, fourth]) {
    await one.goto(`${house.url}/incidents/1`);
    await unsent(one, 'And the index is old').getByText('not yet sent').waitFor();
  }
  await house.serve();
  await house.kill();
  await house.serve();
  for (const one of [third, fourth]) {
    for (const text of ['The cache is cold', 'And the index is old'])
      await one.locator('.timeline [data-entry]').getByText(text).waitFor();
    await saved(one);
    await expect.poll(() => one.locator('.timeline li:not([data-entry])').count(), PATIENCE).toBe(0);
    await noConnection(one).waitFor({ state: 'detached' });
    await reads(one).toBe('Before. Written alone. ');
  }
  expect(noted(sabrina).map(({ text }) => text)).toEqual(['The cache is cold', 'And the index is old']);
  expect(await stored(third, 'notes')).toEqual([]);
});

test.each([
  ['a desk', DESK],
  ['a phone', PHONE],
] as const)(
  'without a connection one line says what still works, and what does not says why, at %s',
  async (_, viewport) => {
    const { sabrina } = await furnish();
    house.say(sabrina, 'offer', '1', 'operations', 'marty');
    const page = await enter('marty', { viewport });
    const take = page.getByRole('button', { name: 'I have operations' }).first();
    await take.waitFor();
    expect(await take.getAttribute('aria-disabled')).toBeNull();
    await house.kill();
    await noConnection(page).waitFor();
    expect(await page.getByText(/reconnecting/).isVisible(), 'the bar does not say it too').toBe(false);
    const said = page.getByText(
      'You can go on writing: notes and the document are sent when the server is back.',
    );
    expect(await said.isVisible()).toBe(true);
    await page.locator('.document h2').getByText('not connected').waitFor();
    expect(await page.locator('.document .standing').count(), 'it is not said again').toBe(0);
    const composer = page.locator('.composer').getByText('A note waits in the timeline until it is sent.');
    const soft = await composer.evaluate((line) => {
      const colour = getComputedStyle(document.documentElement).getPropertyValue('--soft');
      const probe = document.createElement('i');
      document.body.append(Object.assign(probe, { style: `color: ${colour}` }));
      const same = getComputedStyle(probe).color === getComputedStyle(line).color;
      probe.remove();
      return same;
    });
    expect(soft, 'nothing is wrong').toBe(true);
    await expect.poll(() => take.getAttribute('aria-disabled'), PATIENCE).toBe('true');
    await take.focus();
    expect(await take.evaluate((button) => button === document.activeElement)).toBe(true);
    const why = await take.evaluate(
      (button) => document.getElementById(button.getAttribute('aria-describedby')!)?.textContent,
    );
    expect(why).toBe('This needs the server, which cannot be reached now.');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.keyboard.press('Enter');
    await take.click({ force: true });
    expect(await take.evaluate((button: HTMLButtonElement) => button.disabled), 'it is not busy').toBe(false);
    expect(await page.getByRole('alert').count(), 'nothing went wrong').toBe(0);
    expect(
      asked.filter((url) => url.endsWith('/commands')),
      'nothing was asked',
    ).toEqual([]);
    expect(await page.getByRole('status').getByText('No connection. What you see may be old.').count()).toBe(
      1,
    );
    // What needs the server says so where Enter is pressed, and keeps its words.
    const todo = page.getByRole('textbox', { name: 'A new to-do' });
    await todo.fill('Warm the cache');
    await todo.press('Enter');
    await page.getByRole('status').getByText('No connection. It stays here').waitFor();
    expect(await todo.inputValue()).toBe('Warm the cache');
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await faint(page), colorScheme).toEqual([]);
    }
    // However far somebody has read, the line stays before their eyes.
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    const top = () => noConnection(page).evaluate((line) => line.getBoundingClientRect().top);
    expect(await top()).toBeGreaterThanOrEqual(0);
    // What the keyboard goes to does not hide under it.
    const under = await page.evaluate(() => {
      const line = document.querySelector('.line')!.getBoundingClientRect();
      const link = document.querySelector<HTMLElement>('main a[href], main button')!;
      link.scrollIntoView({ block: 'start' });
      return link.getBoundingClientRect().top - line.height;
    });
    expect(under).toBeGreaterThanOrEqual(0);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    // What the line half hides where it stopped is nothing to press there.
    await page.evaluate(() => scrollTo(0, 0));
    expect(await faults(page)).toEqual([]);
    await picture(page, 'no-connection');
    await house.serve();
    await noConnection(page).waitFor({ state: 'detached' });
    await expect.poll(() => take.getAttribute('aria-disabled'), PATIENCE).toBeNull();
    await todo.press('Enter');
    await page.getByRole('checkbox', { name: 'Warm the cache' }).waitFor();
    expect(house.say(sabrina, '--json', 'timeline', '1'), 'nothing was sent').not.toContain('role_taken');
    await take.click();
    await expect.poll(() => house.say(sabrina, '--json', 'timeline', '1'), PATIENCE).toContain('role_taken');
  },
);

test('a note that waited says when it was written; one that is refused keeps its words', async () => {
  const { sabrina } = await furnish();
  const page = await enter('marty');
  await house.kill();
  await note(page, 'Written long ago');
  await unsent(page, 'Written long ago').getByText('not yet sent').waitFor();
  // As if it had waited for ten minutes.
  const put = (minutes: number) =>
    page.evaluate(
      (minutes) =>
        new Promise<void>((resolve) => {
          const request = indexedDB.open('wardroom.page');
          request.onsuccess = () => {
            const store = request.result.transaction('notes', 'readwrite').objectStore('notes');
            store.openCursor().onsuccess = ({ target }) => {
              const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
              if (!cursor) return;
              cursor.update({ ...cursor.value, written: Date.now() - minutes * 60_000 });
            };
            store.transaction.oncomplete = () => (request.result.close(), resolve());
          };
        }),
      minutes,
    );
  await put(10);
  await page.reload();
  await unsent(page, 'Written long ago').waitFor();
  const ago = Date.now() - 10 * 60_000;
  await house.serve();
  await page.locator('.timeline [data-entry]').getByText('Written long ago').waitFor();
  const [written] = noted(sabrina);
  expect(Math.abs(Date.parse(written!.happened_at!) - ago)).toBeLessThan(60_000);

  // The incident went on elsewhere meanwhile.
  await house.kill();
  await note(page, 'Nobody will read this');
  await unsent(page, 'Nobody will read this').getByText('not yet sent').waitFor();
  await page.close({ runBeforeUnload: false });
  await house.serve();
  house.say(sabrina, 'declare', 'Everything is failing');
  house.say(sabrina, 'merge', '1', '2');
  const after = await page.context().newPage();
  await after.goto(`${house.url}/incidents/1`);
  const refused = unsent(after, 'Nobody will read this');
  await refused.getByText('Not written:').waitFor();
  await refused.getByRole('button', { name: 'Copy the note' }).waitFor();
  expect(await faults(after)).toEqual([]);
  await after.reload();
  await refused.getByRole('button', { name: 'Throw it away' }).click();
  await expect.poll(async () => (await stored(after, 'notes')).length, PATIENCE).toBe(0);
});

test('a note that is on its way is not sent as whoever signs in beside it', async () => {
  const { sabrina } = await furnish();
  house.person('emma', 'Emma');
  await (await house.enter('emma')).context().close();
  const page = await enter('marty', WITHOUT_WORKER);
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  await between(page, '**/commands', async (route) => (await gate, await route.continue()));
  const answered = page.waitForResponse('**/commands');
  await note(page, 'Said by Marty');
  await unsent(page, 'Said by Marty').waitFor();
  // In another window of the same browser, before it has gone out.
  const signedIn = await page.context().request.post(`${house.url}/api/v1/session`, {
    headers: { origin: house.url },
    data: { handle: 'emma', password: PASSWORD },
  });
  expect(signedIn.status()).toBe(204);
  open();
  expect((await answered).status()).toBe(409);
  // The window begins anew, as hers.
  await page.getByRole('button', { name: 'You: Emma' }).waitFor();
  await expect.poll(() => stored(page, 'notes'), PATIENCE).toEqual([]);
  expect(noted(sabrina)).toEqual([]);
});

test('what is known goes with whoever knew it: signed out, ended elsewhere, deactivated, not invited', async () => {
  const { sabrina, marty } = await furnish();
  const page = await enter('marty');
  expect(await shelf(page)).toEqual(['board', 'incident/1']);
  expect(JSON.stringify(await stored(page, 'who'))).not.toMatch(/session":\{/);

  // Signed out, with a note that is not sent.
  const signOut = async (): Promise<void> => {
    await page.getByRole('button', { name: 'You: Marty' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  };
  await signOut();
  await page.getByLabel('Your handle').waitFor();
  await expect.poll(() => shelf(page), PATIENCE).toEqual([]);
  expect(await stored(page, 'who')).toEqual([]);
  await house.kill();
  await page.reload();
  await page.getByText('Wardroom cannot be reached from here').waitFor();
  expect(await page.content()).not.toContain('Search is failing');

  // Ended elsewhere, while nobody looks.
  await house.serve();
  await house.signIn(page, 'marty');
  await page.goto(`${house.url}/incidents/1`);
  await page.locator('.timeline [data-entry="1"]').waitFor();
  await keptWhole(page);
  await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }));
  await page.getByLabel('Your handle').waitFor();
  await expect.poll(() => shelf(page), PATIENCE).toEqual([]);

  // Not invited any more: that there is such an incident is nobody's business here.
  await house.signIn(page, 'marty');
  await page.goto(`${house.url}/incidents/1`);
  await page.locator('.timeline [data-entry="1"]').waitFor();
  await keptWhole(page);
  await house.kill();
  await note(page, 'Written without knowing');
  await unsent(page, 'Written without knowing').getByText('not yet sent').waitFor();
  await page.goto('about:blank');
  await house.serve();
  // Whoever takes part is invited.
  house.say(marty, 'leave', '1');
  house.say(sabrina, 'restrict', '1');
  await page.goto(`${house.url}/`);
  await expect.poll(() => shelf(page), PATIENCE).not.toContain('incident/1');
  await page.goto(`${house.url}/incidents/1`);
  await page.getByRole('heading', { name: 'What you wrote' }).waitFor();
  await page.getByText('Written without knowing').waitFor();
  await page.getByText('Not written:').waitFor();
  expect(await faults(page)).toEqual([]);

  // Whoever is invited has nothing of it on this machine's disk either.
  for (const title of ['Somebody is in our network', 'Mail is slow']) house.say(sabrina, 'declare', title);
  house.say(sabrina, 'restrict', '2');
  const invited = await house.enter('sabrina');
  await isKept(invited);
  for (const number of [2, 3]) {
    await invited.goto(`${house.url}/incidents/${number}`);
    await invited.locator('.timeline [data-entry="1"]').waitFor();
    // Keeping takes a moment: whoever leaves at once takes nothing along.
    if (number === 3) await expect.poll(() => shelf(invited), PATIENCE).toContain('incident/3');
    await invited.goto(`${house.url}/`);
    await invited.getByRole('heading', { name: 'Board' }).waitFor();
  }
  await expect.poll(() => shelf(invited), PATIENCE).toEqual(['board', 'incident/3']);
  const all = JSON.stringify(await stored(invited, 'states'));
  expect(all).toContain('Mail is slow');
  expect(all).not.toContain('Somebody is in our network');

  // Deactivated, while the server was away.
  const later = await house.enter('marty');
  await isKept(later);
  await house.kill();
  house.run('person', 'deactivate', 'marty');
  await later.reload();
  await noConnection(later).waitFor();
  await house.serve();
  await later.getByLabel('Your handle').waitFor();
  await expect.poll(() => shelf(later), PATIENCE).toEqual([]);
  expect(await stored(later, 'who')).toEqual([]);
});

test('a machine whose clock is an hour off shows true ages without a server too', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const marty = house.person('marty', 'Marty');
  const off = { LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!, FAKETIME: '-1h', FAKETIME_DISABLE_SHM: '1' };
  await house.serve(off);
  house.say(sabrina, 'declare', 'Search is failing');
  house.say(marty, 'join', '1');
  const page = await enter('marty', {
    viewport: PHONE,
    isMobile: true,
    hasTouch: true,
    timezoneId: 'Asia/Kolkata',
  });
  await house.kill();
  const now = Date.now() - 60 * 60_000;
  await page.reload();
  await noConnection(page).waitFor();
  const [, hours, minutes] = /as of (\d\d):(\d\d) UTC \((?:a moment|\d0 s|1 min) ago\)/.exec(
    await page.locator('main').innerText(),
  )!;
  const as = new Date(now).setUTCHours(Number(hours), Number(minutes), 0, 0);
  expect(Math.abs(now - as)).toBeLessThan(3 * 60_000);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect(await faults(page)).toEqual([]);
});

test('what was never opened here says so kindly, and a document that was never read takes words', async () => {
  const { sabrina } = await furnish();
  const page = await enter('marty');
  house.say(sabrina, 'declare', 'Mail is slow');
  await page.evaluate(() => indexedDB.deleteDatabase('wardroom.document'));
  await house.kill();
  await page.goto(`${house.url}/incidents/2`);
  await page.getByText('This browser has kept nothing of #2').waitFor();
  expect(await faults(page)).toEqual([]);
  await page.goto(`${house.url}/incidents/1/document`);
  await page.getByText('this browser has not read this document yet').waitFor();
  await editor(page).focus();
  await page.keyboard.type('Blind.');
  await house.serve();
  await saved(page);
  await reads(page).toBe('Blind.');
});
