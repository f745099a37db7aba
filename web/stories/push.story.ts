// Being told in this browser: turning it on and off, what each browser can say of itself, and what its service worker
// shows, puts away and leads to.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PASSWORD, PHONE } from './house';
import { PushService, WorkerOf } from './push-service';
import { PATIENCE } from './patience';

let house: House;
let service: PushService | undefined;
afterEach(async () => {
  await house.close();
  service?.close();
  service = undefined;
});

/** Where pictures of the way go, if anybody wants them. */
const pictures = process.env.STORY_PICTURES;

async function menu(page: Page) {
  await page.getByRole('button', { name: /^You:/ }).click();
  const menu = page.locator('#you');
  await menu.getByText('How you are reached').click();
  await menu.getByRole('heading', { name: 'This device' }).waitFor();
  return menu;
}

/** Sabrina, in a browser that may show something and is behind the story's push service; and Mary, at a terminal. */
async function begin(options = {}): Promise<{ page: Page; mary: string; token: string }> {
  house = new House('sqlite');
  service = await PushService.start();
  const mary = house.person('mary', 'Mary');
  const token = house.person('sabrina', 'Sabrina');
  await house.serve({ WARDROOM_PRIVATE_ENDPOINTS: 'true' });
  const page = await house.enter('sabrina', { permissions: ['notifications'], ...options });
  await service.standIn(page);
  await page.reload();
  return { page, mary, token };
}

/** The browsers that the server knows of. */
async function known(page: Page): Promise<{ id: string; here: boolean }[]> {
  return await page.evaluate(async () => {
    const answer = await fetch('/api/v1/me/reach');
    return ((await answer.json()) as { push: { browsers: { id: string; here: boolean }[] } }).push.browsers;
  });
}

/** Looks until it holds; if it does not in time, says what was there last. */
async function until<T>(look: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
  const patience = Date.now() + PATIENCE.timeout;
  for (;;) {
    const found = await look();
    if (holds(found)) return found;
    if (Date.now() > patience) throw new Error(`It does not come about. There is: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('an offer is shown while nobody looks, leads to its page, and is put away when it is done', async () => {
  const { page, mary, token } = await begin();
  const mine = await menu(page);
  await mine.getByRole('button', { name: 'Turn it on here' }).click();
  await mine.getByText('It shows what waits for you').waitFor();
  await mine.getByText(/this one, on for/).waitFor();
  expect(await faults(page)).toEqual([]);
  if (pictures) await page.screenshot({ path: `${pictures}/push-on-desk-light.png` });
  const worker = await WorkerOf.of(page);

  house.say(mary, 'declare', 'Search is failing');
  house.say(mary, 'offer', '1', 'command', 'sabrina');
  const { said } = await service!.nth(1);
  expect(said).toMatchObject({ done: false, path: '/incidents/1' });
  const [shown] = await worker.shows(said, (all) => all.length > 0);
  expect(shown).toEqual({
    title: 'Mary offers you command in incident #1 “Search is failing” (sev2)',
    body: said.help,
    tag: said.id,
    path: '/incidents/1',
    silent: false,
  });
  // At least once, and recognised twice.
  await worker.gets(said);
  await worker.shows({ ...said, id: 'another', line: 'And another' }, (all) =>
    all.some(({ tag }) => tag === 'another'),
  );
  expect((await worker.shown()).map(({ tag }) => tag).sort()).toEqual([said.id, 'another'].sort());

  // What it leads to is opened: the tools cannot click on a notification, so the worker is told of the click.
  const led = await page
    .context()
    .serviceWorkers()[0]!
    .evaluate(async (tag) => {
      interface Scope {
        registration: ServiceWorkerRegistration;
        clients: unknown;
      }
      const scope = self as unknown as Scope;
      const opened: string[] = [];
      const windows = [
        { url: `${location.origin}/`, focus: () => opened.push('the board, brought to the front') },
      ];
      Object.defineProperty(scope, 'clients', {
        configurable: true,
        value: {
          matchAll: () => Promise.resolve(windows),
          openWindow: (url: string) => Promise.resolve(opened.push(url)),
        },
      });
      const click = async (path?: string) => {
        const [notification] = await scope.registration.getNotifications({ tag });
        const event = new Event('notificationclick');
        let done: Promise<unknown> = Promise.resolve();
        const data = path ?? (notification?.data as string);
        Object.assign(event, {
          notification: { data, close: () => notification?.close() },
          waitUntil: (promise: Promise<unknown>) => (done = promise),
        });
        self.dispatchEvent(event);
        await done;
      };
      await click();
      const left = (await scope.registration.getNotifications({ tag })).length;
      await click('/');
      await click('https://elsewhere.example/');
      delete (scope as Partial<Scope>).clients;
      return { opened, left };
    }, said.id);
  expect(led).toEqual({
    opened: [`${house.url}/incidents/1`, 'the board, brought to the front'],
    left: 0,
  });

  // Taken at a terminal: here it is put away, and nothing else is.
  await worker.shows(said, (all) => all.length === 2);
  house.say(token, 'take', '1', 'command', '--briefed-by-voice');
  const ended = (await service!.nth(2)).said;
  expect(ended).toMatchObject({ id: said.id, done: true });
  // Looked at when the worker has done with it, before the browser puts away by itself what nobody clicks on.
  const left = await page
    .context()
    .serviceWorkers()[0]!
    .evaluate(async (ended) => {
      const { registration } = self as unknown as { registration: ServiceWorkerRegistration };
      let done: Promise<unknown> = Promise.resolve();
      const shown: string[] = [];
      const show = registration.showNotification.bind(registration);
      registration.showNotification = (title, options) => {
        shown.push(`${options?.silent ? 'silently' : 'aloud'}: ${title}`);
        return show(title, options);
      };
      const event = Object.assign(new Event('push'), {
        data: { json: () => ended },
        waitUntil: (promise: Promise<unknown>) => (done = promise),
      });
      self.dispatchEvent(event);
      await done;
      registration.showNotification = show;
      return { shown, tags: (await registration.getNotifications()).map(({ tag }) => tag) };
    }, ended);
  expect(left).toEqual({ shown: [`silently: ${ended.line}`], tags: ['another'] });
  // And as the browser hands it over.
  await worker.shows(said, (all) => all.length === 2);
  await worker.shows(ended, (all) => all.length === 1);
  // Whatever comes, something is shown for it.
  await worker.shows('no JSON at all', (all) =>
    all.some(({ title }) => title === 'Something waits for you in Wardroom'),
  );
});

test('it stays on under a new address, for a new key, and until it is turned off anywhere', async () => {
  const phone = { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' as const };
  const { page } = await begin(phone);
  let mine = await menu(page);
  await mine.getByRole('button', { name: 'Turn it on here' }).click();
  await mine.getByText('It shows what waits for you').waitFor();
  await mine.getByRole('button', { name: 'Send me a test' }).click();
  await mine.getByText('push: taken.').waitFor();
  expect((await service!.nth(1)).said.line).toMatch(/^A test/);
  // Choosing something else keeps it on.
  await mine.getByLabel('Quiet hours').check();
  await mine.getByRole('button', { name: 'Keep it' }).click();
  await mine.getByText('Kept.').waitFor();
  const [first] = await known(page);
  expect(first).toBeDefined();
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect(await faults(page)).toEqual([]);
  if (pictures) await page.screenshot({ path: `${pictures}/push-on-phone-dark.png` });

  // The browser's push service moved it, and the page is opened again.
  const change = (what: Record<string, unknown>) =>
    page.evaluate((what) => {
      const kept = JSON.parse(localStorage.getItem('stand-in')!) as Record<string, unknown>;
      localStorage.setItem('stand-in', JSON.stringify({ ...kept, ...what }));
    }, what);
  await change({ endpoint: `${service!.origin}/moved` });
  await page.reload();
  const [second] = await until(
    () => known(page),
    ([one]) => one !== undefined && one.id !== first!.id,
  );
  expect(await known(page)).toHaveLength(1);

  // It was made for the key of another store: this one's after a restore is another.
  await change({ key: Array.from({ length: 65 }, () => 4) });
  await page.reload();
  const [third] = await until(
    () => known(page),
    ([one]) => one !== undefined && one.id !== second!.id,
  );
  expect(await known(page)).toHaveLength(1);

  mine = await menu(page);
  await mine.getByText('It shows what waits for you').waitFor();
  // Turned off elsewhere, it is off here as soon as the page is opened.
  await page.evaluate((id) => fetch(`/api/v1/me/reach/browsers/${id}`, { method: 'DELETE' }), third!.id);
  await page.reload();
  await until(
    () => page.evaluate(() => localStorage.getItem('stand-in')),
    (kept) => kept === null,
  );
  mine = await menu(page);
  await mine.getByRole('button', { name: 'Turn it on here' }).click();
  await mine.getByText('It shows what waits for you').waitFor();
  await mine.getByRole('button', { name: /^Turn off in .*, this one$/ }).click();
  await mine.getByRole('button', { name: 'Turn it on here' }).waitFor();
  expect(await known(page)).toEqual([]);
  expect(await page.evaluate(() => Object.keys(localStorage))).not.toContain('wardroom.push');
});

test('whoever signs out leaves nothing shown and no address, and is told so when they are back', async () => {
  const { page, mary, token } = await begin();
  let mine = await menu(page);
  await mine.getByRole('button', { name: 'Turn it on here' }).click();
  await mine.getByText('It shows what waits for you').waitFor();
  const worker = await WorkerOf.of(page);
  house.say(mary, 'declare', 'Search is failing');
  house.say(mary, 'offer', '1', 'command', 'sabrina');
  await worker.shows((await service!.nth(1)).said, (all) => all.length === 1);
  await mine.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Your handle').waitFor();
  await until(
    () => worker.shown(),
    (all) => all.length === 0,
  );
  await until(
    () => page.evaluate(() => localStorage.getItem('stand-in')),
    (kept) => kept === null,
  );
  const answer = await fetch(`${house.url}/api/v1/me/reach`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(((await answer.json()) as { push: { browsers: unknown[] } }).push.browsers).toEqual([]);

  await page.getByLabel('Your handle').fill('sabrina');
  await page
    .getByLabel(/password/i)
    .first()
    .fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^You: Sabrina/ }).waitFor();
  mine = await menu(page);
  await mine.getByText('This browser gets no notifications').waitFor();
  expect(await faults(page)).toEqual([]);
  // By one button it is on again.
  await mine.getByRole('button', { name: 'Turn it on here' }).click();
  await mine.getByText('It shows what waits for you').waitFor();
  expect(await known(page)).toHaveLength(1);
});

test('whoever signs in next at the same browser is not told by it, and neither is whoever left', async () => {
  const { page } = await begin();
  house.person('marty', 'Marty');
  const mine = await menu(page);
  await mine.getByRole('button', { name: 'Turn it on here' }).click();
  await mine.getByText('It shows what waits for you').waitFor();
  // Their session is ended elsewhere.
  await page.evaluate(() => fetch('/api/v1/session', { method: 'DELETE' }));
  await page.reload();
  await page.getByLabel('Your handle').waitFor();
  // Nor when it would have to be turned on anew: its address is one for the key of another store.
  await page.evaluate(() => {
    const kept = JSON.parse(localStorage.getItem('stand-in')!) as Record<string, unknown>;
    localStorage.setItem('stand-in', JSON.stringify({ ...kept, key: Array.from({ length: 65 }, () => 4) }));
  });
  const secret = /#(\S+)/.exec(house.run('person', 'link', 'marty'))![1]!;
  await page.evaluate(async (secret) => {
    const body = JSON.stringify({ secret, password: 'a long enough password' });
    await fetch('/api/v1/welcome', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }, secret);
  await page.goto(house.url);
  await page.getByRole('button', { name: /^You: Marty/ }).waitFor();
  await until(
    () => page.evaluate(() => localStorage.getItem('stand-in')),
    (kept) => kept === null,
  );
  expect(await known(page)).toEqual([]);
  await (await menu(page)).getByRole('button', { name: 'Turn it on here' }).waitFor();
});

test('each browser says what stands in the way, and what to do', async () => {
  house = new House('sqlite');
  house.person('sabrina', 'Sabrina');
  await house.serve();
  const here = house.url;

  // No push service in reach: Chromium's own answer.
  const page = await house.enter('sabrina', { permissions: ['notifications'] });
  let mine = await menu(page);
  await mine.getByRole('button', { name: 'Turn it on here' }).click();
  await mine.getByText('push service gave it no address').waitFor();
  expect(await faults(page)).toEqual([]);

  // Said no to.
  const cdp = await page.context().newCDPSession(page);
  const { browserContextId } = (await cdp.send('Target.getTargetInfo')).targetInfo;
  await cdp.send('Browser.setPermission', {
    ...(browserContextId && { browserContextId }),
    permission: { name: 'notifications' },
    setting: 'denied',
    origin: here,
  });
  await page.reload();
  mine = await menu(page);
  await mine.getByText('This browser blocks what Wardroom would show').waitFor();
  expect(await mine.getByRole('button', { name: 'Turn it on here' }).count()).toBe(0);
  expect(await faults(page)).toEqual([]);

  // Without push at all, and on Apple's phones, where it is on the home screen.
  const without = async (userAgent?: string) => {
    const page = await house.enter(
      'sabrina',
      userAgent ? { userAgent, ...{ viewport: PHONE, hasTouch: true } } : {},
    );
    await page.addInitScript(() => delete (window as Partial<typeof globalThis>).PushManager);
    await page.reload();
    return await menu(page);
  };
  await (await without()).getByText('This browser cannot be told anything while it is closed').waitFor();
  const phone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1';
  await (await without(phone)).getByText('put Wardroom on the home screen first').waitFor();

  // On plain http beyond this machine.
  house.url = here.replace('127.0.0.1', 'wardroom.test');
  mine = await menu(await house.enter('sabrina'));
  await mine.getByText('Push takes a secure address').waitFor();
});

test('the page can be installed, and its worker may speak to this server alone', async () => {
  house = new House('sqlite');
  await house.serve();
  const index = await (await fetch(house.url)).text();
  const at = /rel="manifest" href="([^"]+)"/.exec(index)![1]!;
  const answer = await fetch(new URL(at, house.url));
  expect(answer.headers.get('content-type')).toBe('application/manifest+json');
  const manifest = (await answer.json()) as { start_url: string; display: string; icons: { src: string }[] };
  expect(manifest).toMatchObject({ start_url: '/', display: 'standalone' });
  for (const { src } of manifest.icons) {
    const icon = await fetch(new URL(src, house.url));
    expect([icon.status, icon.headers.get('content-type')?.startsWith('image/')]).toEqual([200, true]);
  }
  const worker = await fetch(new URL('/worker.js', house.url));
  expect(worker.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(worker.headers.get('cache-control')).toBe('no-cache');
  expect(worker.headers.get('content-security-policy')).toBe(
    "default-src 'none'; connect-src 'self'; img-src 'self'",
  );
  expect(await worker.text()).not.toMatch(/\bimport\b/);
});
