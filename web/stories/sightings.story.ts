// Freelancing, seen after the fact: what other systems told of stands beside the timeline, and operations sort it.
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE } from './house';
import { PATIENCE } from './search-fails';
import { tooMuch } from './too-much';

let house: House;
afterEach(async () => await house.close());

/** Where pictures go that somebody wants to look at. */
const pictures = process.env.STORY_PICTURES;
const TOUCH: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' };

const seen = (page: Page) => page.getByRole('region', { name: /^Changes seen/ });
const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });
const row = (page: Page, words: string) => seen(page).getByRole('listitem').filter({ hasText: words });

/** A deployer tells of a change that somebody made so many minutes ago. */
async function told(token: string, what: string, who: string, minutes: number): Promise<void> {
  const event = {
    specversion: '1.0',
    id: what,
    source: 'https://ci.example.org/search',
    type: 'org.example.deployed',
    time: new Date(Date.now() - minutes * 60_000).toISOString(),
    data: {
      service: 'search',
      what,
      who,
      environment: 'production',
      link: 'https://ci.example.org/search/812',
    },
  };
  const answer = await fetch(`${house.url}/api/v1/changes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify(event),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

/** Sabrina commands, Marty has operations; Emma changes things, before and afterwards. */
async function furnish(store: 'sqlite' | 'postgres'): Promise<{ pipeline: string }> {
  house = new House(store);
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const marty = house.person('marty', 'Marty');
  house.person('emma', 'Emma');
  house.run('service', 'set', 'search');
  const pipeline =
    house.run('token', 'create', 'sabrina', '--scope', 'gate').trim().split(/\s+/).at(-1) ?? '';
  await house.serve();
  await told(pipeline, 'deploy v11', 'emma', 50);
  await told(pipeline, 'rotate the certificates', 'a robot', 20);
  house.say(sabrina, 'declare', 'Search is failing for everyone', '--service', 'search');
  house.say(marty, 'join', '1');
  house.say(sabrina, 'offer', '1', 'operations', 'marty');
  house.say(marty, 'take', '1', 'operations');
  return { pipeline };
}

async function enter(handle: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await house.enter(handle, options);
  await page.goto(`${house.url}/incidents/1`);
  if (options.isMobile) await page.getByRole('button', { name: 'Timeline', exact: true }).click();
  await seen(page).waitFor();
  return page;
}

async function look(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

test.each([
  ['a desk', 'sqlite', {}],
  ['a phone', 'postgres', TOUCH],
] as const)('what was seen is sorted, at %s, on %s', async (place, store, options) => {
  const { pipeline } = await furnish(store);
  const marty = await enter('marty', options);
  await seen(marty).getByRole('button', { name: '2 changes in the hour before' }).waitFor();
  await row(marty, 'search: rotate the certificates').getByText('a robot').waitFor();
  expect(await next(marty).getByText('not coordinated').count(), 'nothing was to be coordinated then').toBe(
    0,
  );

  await told(pipeline, 'deploy v12', 'emma', 0);
  await told(pipeline, 'deploy v13', 'a robot', 0);
  await next(marty).getByText('A change was seen that was not coordinated:').waitFor();
  await row(marty, 'search: deploy v13').getByText('nobody here is called that').waitFor();
  await expect.poll(() => faults(marty), PATIENCE).toEqual([]);
  await look(marty, `seen-${place.replaceAll(' ', '-')}`);

  await row(marty, 'search: deploy v12').getByRole('button', { name: 'Ask Emma in' }).click();
  await row(marty, 'search: deploy v12').getByText('asked them in').waitFor();
  const emma = await house.enter('emma', options);
  await emma.goto(`${house.url}/incidents/1`);
  await next(emma).getByText('Marty asks you to come in: a change of search by you was seen.').waitFor();
  await look(emma, `asked-in-${place.replaceAll(' ', '-')}`);
  await next(emma).getByRole('button', { name: "I'm here" }).click();
  await next(emma).getByText('Nothing waits for you.').waitFor();
  await emma.context().close();
  await row(marty, 'search: deploy v12').getByRole('button', { name: 'Take it in' }).click();
  await row(marty, 'search: deploy v12').waitFor({ state: 'detached' });
  await next(marty).getByText('search: deploy v13').waitFor();
  await next(marty).getByRole('button', { name: 'Dismiss it' }).click();
  await row(marty, 'search: deploy v13').waitFor({ state: 'detached' });
  await seen(marty).getByRole('button', { name: '2 others, with nothing to sort' }).click();
  await row(marty, 'search: deploy v12').getByText('took it in as change 1').waitFor();
  await row(marty, 'search: deploy v13').getByText('dismissed it').waitFor();
  if (place === 'a phone') await marty.getByRole('button', { name: 'Now', exact: true }).click();
  await marty
    .getByRole('group', { name: /^Differs from normal/ })
    .getByText('deploy v12')
    .waitFor();
  await look(marty, `sorted-${place.replaceAll(' ', '-')}`);
  await expect.poll(() => faults(marty), PATIENCE).toEqual([]);
});

test.each([
  ['a desk', {}],
  ['a phone', TOUCH],
] as const)('many by one maker are dismissed at once, at %s', async (place, options) => {
  const { pipeline } = await furnish('sqlite');
  const marty = await enter('marty', options);
  for (let nth = 1; nth <= 7; nth += 1) await told(pipeline, `scale to ${nth}`, 'a robot', 0);
  await told(pipeline, 'deploy v12', 'emma', 0);
  await seen(marty).getByRole('button', { name: '5 more to sort' }).click();
  await row(marty, 'search: deploy v12').waitFor();
  await seen(marty).getByRole('button', { name: 'Show fewer' }).click();
  await row(marty, 'search: deploy v12').waitFor({ state: 'detached' });
  await look(marty, `many-${place.replaceAll(' ', '-')}`);
  await expect.poll(() => faults(marty), PATIENCE).toEqual([]);
  const all = seen(marty).getByRole('button', { name: 'Dismiss all 7 by “a robot”' });
  expect(await all.count(), 'it is offered once').toBe(1);
  await all.click();
  await seen(marty).getByRole('button', { name: '7 others, with nothing to sort' }).waitFor();
  await next(marty).getByText('search: deploy v12').waitFor();
  expect(await row(marty, 'search: deploy v12').getByText('Not coordinated').count()).toBe(1);
});

test('whoever is outside operations sees it and is offered nothing to do with it', async () => {
  const { pipeline } = await furnish('sqlite');
  await told(pipeline, 'deploy v12', 'a robot', 0);
  const emma = await enter('emma');
  await row(emma, 'search: deploy v12').getByText('Not coordinated').waitFor();
  expect(
    await seen(emma)
      .getByRole('button', { name: /^(Take|Dismiss|Ask)/ })
      .count(),
  ).toBe(0);
  const link = row(emma, 'search: deploy v12').getByRole('link', { name: 'Look at it there' });
  expect(await link.getAttribute('rel')).toContain('noreferrer');
  await expect.poll(() => faults(emma), PATIENCE).toEqual([]);
});

test.each([
  ['a desk', 'sqlite', {}],
  ['a phone', 'postgres', TOUCH],
] as const)(
  'who told of too many changes is shown beside their token, at %s, on %s',
  async (_, store, options) => {
    const { pipeline } = await furnish(store);
    const sabrina = await house.enter('sabrina', options);
    const tokens = async () => {
      await sabrina.goto(`${house.url}/admin/tokens`);
      const rows = sabrina.getByRole('listitem').filter({ hasText: 'tells and asks' });
      await rows.waitFor();
      return rows;
    };
    const refused = 'Told of too many changes, and was not heard';
    expect(await (await tokens()).getByText(refused).count()).toBe(0);
    await tooMuch(house.url, pipeline);
    await (await tokens()).getByText(refused).waitFor();
    expect(await sabrina.getByText(refused).count(), 'beside that one alone').toBe(1);
    expect(await faults(sabrina)).toEqual([]);
    if (pictures) await sabrina.screenshot({ path: join(pictures, `tokens-refused-${store}.png`) });
  },
);
