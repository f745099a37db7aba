// What a gate stopped, or would have, where somebody decides whether it stops people; and a line about a change that names no
// service that anybody knows.
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { House, PHONE, STORES } from './house';
import { PATIENCE } from './search-fails';

let house: House;
afterEach(async () => await house.close());

const TOUCH: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true };
const SCREENS = [
  ['a desk', {}],
  ['a phone', TOUCH],
] as const;

const tooWide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Ada looks after the house; Sabrina commands, Marty is outside operations. */
async function furnish(store: 'sqlite' | 'postgres', ...services: string[]): Promise<{ marty: string }> {
  house = new House(store);
  house.person('ada', 'Ada', '--admin');
  const sabrina = house.person('sabrina', 'Sabrina');
  const marty = house.person('marty', 'Marty');
  house.person('emma', 'Emma');
  for (const service of ['search', 'index', 'frontend']) house.run('service', 'set', service);
  await house.serve();
  const named = services.flatMap((service) => ['--service', service]);
  house.say(sabrina, 'declare', 'Search is failing for everyone', '--severity', 'sev1', ...named);
  return { marty };
}

test.each(STORES.flatMap((store) => SCREENS.map((screen) => [store, ...screen] as const)))(
  'what the gate would have stopped is read where somebody has it stop people, in two steps (%s, %s)',
  async (store, _, options) => {
    const { marty } = await furnish(store, 'search');
    const ask = async (): Promise<string> => {
      const answer = await fetch(`${house.url}/api/v1/gate`, {
        method: 'POST',
        headers: { authorization: `Bearer ${marty}`, 'content-type': 'application/json' },
        body: JSON.stringify({ services: ['search'], what: 'deploy v12' }),
      });
      return ((await answer.json()) as { reason: string }).reason;
    };
    expect(await ask()).toContain('only observes');
    house.say(marty, 'change', '1', 'record', 'search: deployed v12');

    const ada = await house.enter('ada', options);
    const row = ada.locator('.rows > li').filter({ hasText: /^\s*search/ });
    await expect
      .poll(async () => {
        await ada.goto(`${house.url}/admin/services`);
        return await row.getByText('the gate only observes').innerText();
      }, PATIENCE)
      .toBe('the gate only observes, and would have stopped 1 in 7 days; 1 uncoordinated change afterwards');
    expect(await faults(ada)).toEqual([]);
    await row.getByRole('button', { name: 'Open search' }).press('Enter');
    const panel = ada.getByRole('dialog', { name: 'search' });
    await panel.getByText('It only observes').waitFor();
    const last = panel.getByRole('list', { name: 'The last at the gate of search' });
    await last.getByText('Marty').waitFor();
    await last.getByText('would have been stopped').waitFor();
    await last.getByText('uncoordinated change afterwards').waitFor();
    await last.getByText('deploy v12').waitFor();
    await last.getByRole('link', { name: '#1' }).waitFor();

    // Chosen, and said twice: the first button is not the second, and the keyboard goes on to why.
    const set = panel.getByRole('button', { name: 'Set the gate' });
    expect(await set.getAttribute('aria-disabled')).toBe('true');
    await panel.getByRole('checkbox', { name: /^SEV 1/ }).check();
    await panel.getByRole('checkbox', { name: /^SEV 2/ }).check();
    await set.press('Enter');
    await expect
      .poll(() => ada.evaluate(() => document.activeElement?.textContent?.trim()), PATIENCE)
      .toMatch(
        /^From now on whoever is outside operations is stopped during an incident at SEV 1 and SEV 2.*held now by #1/s,
      );
    expect(await faults(ada)).toEqual([]);
    expect(await tooWide(ada)).toBe(0);
    const sure = panel.getByRole('button', { name: 'Yes, stop people' });
    const { y, height } = (await sure.boundingBox())!;
    expect(y + height, 'it is in view').toBeLessThanOrEqual(ada.viewportSize()!.height);
    expect(await ask(), 'it was said once').toContain('only observes');
    await panel.getByRole('button', { name: 'Keep it as it is' }).click();
    expect(await panel.getByRole('checkbox', { name: /^SEV 1/ }).isChecked()).toBe(false);
    await panel.getByRole('checkbox', { name: /^SEV 1/ }).check();
    await set.click();
    await sure.click();
    await panel.getByText('Saved: the gate stops people at SEV 1.').waitFor();
    await row.getByText('the gate stops people at SEV 1, and would have').waitFor();
    await expect.poll(ask, PATIENCE).toContain('Only operations may change search');

    // Not in the middle of an incident by one press either.
    await panel.getByRole('checkbox', { name: /^SEV 1/ }).uncheck();
    await set.click();
    await panel.getByText('From now on everybody passes at SEV 1.').waitFor();
    await panel.getByRole('button', { name: 'Yes, let everybody pass' }).click();
    await panel.getByText('Saved: the gate only observes.').waitFor();
    await expect.poll(ask, PATIENCE).toContain('only observes');
    expect(await faults(ada)).toEqual([]);
  },
);

test.each(STORES.flatMap((store) => SCREENS.map((screen) => [store, ...screen] as const)))(
  'what the gate stopped is one quiet line in the room, which unfolds, and whose words can be taken out (%s, %s)',
  async (store, _, options) => {
    const { marty } = await furnish(store, 'search');
    for (const what of ['deploy v12', 'flush the cache', 'the password is sesame'])
      house.say(marty, 'gate', '--service', 'search', '--action', what);
    const page = await house.enter('sabrina', options);
    const line = page.getByText('The gate would have stopped 3 in 7 days:');
    await expect
      .poll(async () => {
        await page.goto(`${house.url}/incidents/1`);
        await page.getByRole('group', { name: /^Differs from normal/ }).waitFor();
        return await line.innerText().catch(() => '');
      }, PATIENCE)
      .toMatch(/the password is sesame by Marty, flush the cache by Marty, and 1 more\./);
    expect(await tooWide(page)).toBe(0);
    await page.getByRole('button', { name: 'Show what the gate stopped' }).click();
    const all = page.getByRole('list', { name: 'What the gate stopped' });
    const row = all.getByRole('listitem').filter({ hasText: 'sesame' });
    await row.getByText('Marty would have been stopped at search: the password is sesame').waitFor();
    expect(await faults(page)).toEqual([]);
    await row.getByRole('button', { name: 'Redact…' }).click();
    await row.getByRole('button', { name: 'Take these words out, for ever' }).click();
    await all.getByText('would have been stopped at search: (redacted)').waitFor();
    expect(await page.getByText('sesame').count()).toBe(0);
    expect(await faults(page)).toEqual([]);
  },
);

test.each(STORES.flatMap((store) => SCREENS.map((screen) => [store, ...screen] as const)))(
  'a line that names no service is asked for it in its place, and nothing typed is lost (%s, %s)',
  async (store, _, options) => {
    await furnish(store, 'search', 'frontend');
    const page = await house.enter('sabrina', { ...options, ...WITHOUT_WORKER });
    await page.goto(`${house.url}/incidents/1`);
    const ledger = page.getByRole('group', { name: /^Differs from normal right now/ });
    const line = page.getByRole('textbox', { name: 'A change to a service' });
    const which = page.getByRole('combobox', { name: 'Which service is it?' });
    await line.fill('eu-1/cards: drained');
    await line.press('Enter');
    await ledger.getByText('Nobody here knows a service').waitFor();
    // The keyboard is there, and the line stands as it was.
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')), PATIENCE)
      .toBe('Which service is it?');
    expect(await line.inputValue()).toBe('eu-1/cards: drained');
    await expect
      .poll(
        () =>
          page
            .locator('datalist option')
            .evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value)),
        PATIENCE,
      )
      .toEqual(['frontend', 'search', 'index']);
    expect(await faults(page)).toEqual([]);
    expect(await tooWide(page)).toBe(0);
    // Back to it and on again.
    await page.keyboard.press('Escape');
    await which.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('change');
    await page.keyboard.press('Enter');
    await which.waitFor();
    await which.fill('index');
    await which.press('Enter');
    const row = (words: string) => ledger.getByRole('listitem').filter({ hasText: words });
    await row('eu-1/cards: drained').getByText('index').waitFor();
    await expect.poll(() => line.inputValue(), PATIENCE).toBe('');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id), PATIENCE).toBe('change');
    expect(await which.count()).toBe(0);
    // One of those that are affected is a press away; and so is the name itself, which then is no more of the words.
    await line.fill('eu-2/cards: drained too');
    await line.press('Enter');
    const frontend = ledger.getByRole('button', { name: 'frontend', exact: true });
    await frontend.waitFor();
    // It stands in the ledger before its answer is here, and the next line is typed already: that one stays, and goes behind it.
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    await between(page, '**/commands', async (route) => {
      const told = await route.fetch();
      await answered;
      await route.fulfill({ response: told });
    });
    await frontend.click();
    await row('eu-2/cards: drained too').getByText('frontend').waitFor();
    await line.fill('eu-3/cards: drained as well');
    await line.press('Enter');
    answer();
    await ledger.getByRole('button', { name: 'A new one: eu-3/cards' }).click();
    await row('drained as well').waitFor();
    await expect
      .poll(() => ledger.locator('.words > bdi').allInnerTexts(), PATIENCE)
      .toEqual(expect.arrayContaining(['drained as well', 'eu-2/cards: drained too', 'eu-1/cards: drained']));
  },
);

test.each(SCREENS)(
  'where the gate’s link leads, whoever may change another service, or waits for it, asks for this one, at %s',
  async (_, options) => {
    const { marty } = await furnish('sqlite', 'search', 'index', 'frontend');
    const permitted = (page: Page) => page.getByRole('list', { name: 'Who else may change services' });
    const asking = (page: Page) => page.getByRole('textbox', { name: 'What you would change, and why' });
    const inField = (page: Page) =>
      expect.poll(() => page.evaluate(() => document.activeElement?.id), PATIENCE).toBe('permission');
    house.say(marty, 'permission', '1', 'ask', 'flush the cache', '--service', 'search');
    const [sabrina, page] = [await house.enter('sabrina'), await house.enter('marty', options)];
    await sabrina.goto(`${house.url}/incidents/1`);

    // While an ask for another waits, it goes on in this one.
    await page.goto(`${house.url}/incidents/1?permission=index`);
    await inField(page);
    await page.getByText('this asks for search and index together').waitFor();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.type('rebuild it');
    await page.keyboard.press('Enter');
    await permitted(sabrina).getByText('Marty asks to change index and search:').waitFor();
    await permitted(sabrina).getByText('flush the cache; rebuild it').waitFor();
    await asking(page).waitFor({ state: 'detached' });
    await permitted(sabrina).getByRole('button', { name: 'Let them for 30 min' }).click();
    await permitted(page).getByText('Marty may change index and search').waitFor();
    expect(await asking(page).count(), 'there is nothing to ask for').toBe(0);

    // The gate's link again, for what the permission does not hold; and a refusal leads there as well.
    await page.goto(`${house.url}/incidents/1?permission=frontend`);
    await inField(page);
    await page.getByText('To change frontend, ask them first.').waitFor();
    expect(await faults(page)).toEqual([]);
    await page.goto(`${house.url}/incidents/1`);
    await permitted(page).waitFor();
    expect(await asking(page).count()).toBe(0);
    await page.getByRole('textbox', { name: 'A change to a service' }).fill('frontend: cap traffic');
    await page.getByRole('button', { name: 'I am about to' }).click();
    await page.getByRole('button', { name: 'Ask operations…' }).click();
    await inField(page);
    await page.keyboard.type('cap traffic');
    await page.keyboard.press('Enter');
    await permitted(sabrina).getByText('Marty asks to change frontend:').waitFor();

    // Denied at several services, its link asks for all that are missing.
    const emma = await house.enter('emma', options);
    await emma.goto(`${house.url}/incidents/1?permission=frontend,index`);
    await inField(emma);
    await emma.getByText('To change frontend and index, ask them first.').waitFor();
    expect(await faults(emma)).toEqual([]);
    await emma.keyboard.type('deploy v12');
    expect(await emma.getByRole('combobox', { name: 'Which service' }).inputValue()).toBe('frontend index');
    await emma.keyboard.press('Enter');
    await permitted(sabrina).getByText('Emma asks to change frontend and index:').waitFor();
  },
);
