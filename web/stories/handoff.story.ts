// Two people run an incident by hand: declare, join, delegate, hand command over, with a kill -9 in the middle; at a
// desk with keys, and on two phones by touch, in as many interactions.
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, describe, expect, test } from 'vitest';
import { faults } from './accessibility';
import { WITHOUT_WORKER, between } from './between';
import { Hands, commands } from './hands';
import { House, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

/** The line on top that says what to do next. */
const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });
const focused = (page: Page, name: string) =>
  page.waitForFunction((label) => document.activeElement?.getAttribute('aria-label') === label, name);

type Width = 'a desk' | 'a phone';
const PHONES: BrowserContextOptions = { viewport: PHONE, isMobile: true, hasTouch: true };

/** On a phone the room has tabs; going to one is moving about, as scrolling is, and is not counted. */
async function tab(page: Page, name: string): Promise<void> {
  const tabs = page.getByRole('navigation', { name: 'Parts of the room' });
  if (await tabs.isVisible()) await tabs.getByRole('button', { name }).tap();
}

/** Two people at one open incident, which the first declared. */
async function twoInAnIncident(
  store: (typeof STORES)[number],
  width: Width,
  more: BrowserContextOptions = {},
) {
  const options = { ...(width === 'a phone' ? PHONES : {}), ...more };
  house = new House(store);
  house.person('sabrina', 'Sabrina', '--admin');
  const jennifersToken = house.person('jennifer', 'Jennifer');
  await house.serve();
  const sabrina = await house.enter('sabrina', options);
  const jennifer = await house.enter('jennifer', options);
  const hands = { sabrina: new Hands(sabrina), jennifer: new Hands(jennifer) };
  const declaring = await hands.sabrina.count(async () => {
    if (width === 'a desk') await hands.sabrina.press('d');
    else await hands.sabrina.click(sabrina.getByRole('button', { name: 'Declare' }).first());
    await sabrina.getByLabel('What is wrong?').waitFor();
    await hands.sabrina.line('Search is failing for everyone');
  });
  expect(declaring, 'interactions to declare').toBe(2);
  await sabrina.waitForURL(/\/incidents\/\d+$/);
  await jennifer.getByRole('link', { name: /Search is failing for everyone/ }).click();
  await jennifer.waitForURL(/\/incidents\/\d+$/);
  const joining = await hands.jennifer.count(async () => {
    await hands.jennifer.click(next(jennifer).getByRole('button', { name: "I'm here" }));
  });
  expect(joining, 'interactions to join').toBe(1);
  return { sabrina, jennifer, hands, jennifersToken };
}

/** Sabrina offers command to Jennifer, who is chosen already. */
async function offerCommand(sabrina: Page, hands: Hands): Promise<void> {
  await sabrina.locator('#people').getByText('Jennifer').waitFor();
  await tab(sabrina, 'Command');
  const offering = await hands.count(async () => {
    await hands.click(sabrina.getByRole('button', { name: 'Hand over Incident commander' }));
    await hands.click(sabrina.getByRole('button', { name: 'Offer command to Jennifer' }));
  });
  expect(offering, 'interactions to offer command').toBe(2);
  await sabrina.getByText('Still you, do not leave.').waitFor();
}

describe.each([
  ['sqlite', 'a desk'],
  ['postgres', 'a desk'],
  ['sqlite', 'a phone'],
] as const)('on %s, at %s', (store, width) => {
  test('command passes from hand to hand, read and acknowledged', async () => {
    const { sabrina, jennifer, hands } = await twoInAnIncident(store, width);
    await offerCommand(sabrina, hands.sabrina);
    await next(jennifer).getByText('offers you command').waitFor();
    expect(await faults(jennifer)).toEqual([]);
    const taking = await hands.jennifer.count(async () => {
      await hands.jennifer.click(next(jennifer).getByRole('button', { name: 'Read the briefing' }));
      await jennifer.getByRole('heading', { name: 'How it stands' }).waitFor();
      expect(await faults(jennifer)).toEqual([]);
      await hands.jennifer.click(jennifer.getByRole('button', { name: 'I have command', exact: true }));
    });
    expect(taking, 'interactions to take command, briefed').toBe(2);
    await commands(jennifer, 'Jennifer');
    await commands(sabrina, 'Jennifer');
    await sabrina.getByText('Still you, do not leave.').waitFor({ state: 'hidden' });
    expect(await faults(sabrina)).toEqual([]);
  });

  test('who was briefed by voice has command with one key or click', async () => {
    const { sabrina, jennifer, hands } = await twoInAnIncident(store, width);
    await offerCommand(sabrina, hands.sabrina);
    const button = next(jennifer).getByRole('button', { name: 'Briefed by voice: I have command' });
    await button.waitFor();
    expect(await hands.jennifer.count(() => hands.jennifer.click(button))).toBe(1);
    await commands(sabrina, 'Jennifer');
    await sabrina
      .getByText(/briefed by voice/i)
      .first()
      .waitFor();
  });

  test('a stale briefing shows first what was not seen', async () => {
    const { sabrina, jennifer, hands, jennifersToken } = await twoInAnIncident(store, width, WITHOUT_WORKER);
    await offerCommand(sabrina, hands.sabrina);
    // Her page is told what stood in the first briefing, however often it asks: nothing newer can be under way.
    let first: string | null = null;
    await between(jennifer, '**/api/v1/incidents/*/briefing*', async (route) => {
      first ??= await (await route.fetch()).text();
      await route.fulfill({ body: first, contentType: 'application/json' });
    });
    await next(jennifer).getByRole('button', { name: 'Read the briefing' }).click();
    await jennifer.getByRole('heading', { name: 'How it stands' }).waitFor();
    // Something that matters happens meanwhile.
    const number = new URL(jennifer.url()).pathname.split('/').at(-1)!;
    house.say(jennifersToken, 'roadblock', number, 'The quota of the eu cell is used up');
    await jennifer.getByRole('button', { name: 'I have command', exact: true }).click();
    const shown = jennifer.getByRole('alert').filter({ hasText: 'Look at this first' });
    await shown.getByText('The quota of the eu cell is used up').waitFor();
    await commands(sabrina, 'Sabrina');
    await jennifer.unroute('**/api/v1/incidents/*/briefing*');
    await jennifer.getByRole('button', { name: 'I have command', exact: true }).click();
    await commands(sabrina, 'Jennifer');
  });

  test('a server that is killed in the middle of a handoff loses nothing', async () => {
    const { sabrina, jennifer, hands } = await twoInAnIncident(store, width);
    await offerCommand(sabrina, hands.sabrina);
    await next(jennifer).getByRole('button', { name: 'Read the briefing' }).click();
    await jennifer.getByRole('heading', { name: 'How it stands' }).waitFor();
    await house.kill();
    await jennifer
      .getByText(/reconnecting/i)
      .first()
      .waitFor();
    await sabrina.getByText('Still you, do not leave.').waitFor();
    await house.serve();
    await jennifer
      .getByText(/reconnecting/i)
      .first()
      .waitFor({ state: 'hidden' });
    await jennifer.getByRole('button', { name: 'I have command', exact: true }).click();
    await commands(sabrina, 'Jennifer');
    expect(house.run('verify')).toMatch(/The record holds/);
  });
});

const WIDTHS: Width[] = ['a desk', 'a phone'];

test.each(WIDTHS)('a note is a line and Enter, and seen by the other at once, at %s', async (width) => {
  const { sabrina, jennifer, hands } = await twoInAnIncident('sqlite', width);
  const noting = await hands.jennifer.count(async () => {
    if (width === 'a desk') await hands.jennifer.press('n');
    else await hands.jennifer.click(jennifer.getByLabel('Write a note into the timeline'));
    await focused(jennifer, 'Write a note into the timeline');
    await hands.jennifer.line('Errors began with the <b>sonnet</b> release');
  });
  expect(noting, 'interactions to note').toBe(2);
  await tab(sabrina, 'Timeline');
  await sabrina.getByText('Errors began with the <b>sonnet</b> release').waitFor();
});

test.each(WIDTHS)('delegating takes two interactions, and one on the other side, at %s', async (width) => {
  const { sabrina, jennifer, hands } = await twoInAnIncident('sqlite', width);
  await sabrina.locator('#people').getByText('Jennifer').waitFor();
  await tab(sabrina, 'Command');
  const delegating = await hands.sabrina.count(async () => {
    await hands.sabrina.click(sabrina.getByRole('button', { name: 'Offer Operations' }));
    await sabrina.getByRole('combobox', { name: 'Offer to' }).waitFor();
    // Where no keyboard is at hand, none is called up: the name is there to be tapped.
    if (width === 'a desk') await hands.sabrina.line('Jenn');
    else await hands.sabrina.click(sabrina.getByRole('option', { name: 'Jennifer' }));
  });
  expect(delegating, 'interactions to delegate').toBe(2);
  const taking = await hands.jennifer.count(async () => {
    await hands.jennifer.click(next(jennifer).getByRole('button', { name: 'I have operations' }));
  });
  expect(taking, 'interactions to take a role').toBe(1);
  await tab(sabrina, 'Command');
  await sabrina
    .getByRole('listitem')
    .filter({ hasText: 'Operations' })
    .getByText('Jennifer')
    .first()
    .waitFor();
});
