// The whole of an incident, clicked by two people: declared, joined, delegated, stuck and unstuck, handed over, mitigated,
// resolved and closed.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { commands } from './hands';
import { House, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });
const phase = (page: Page, words: string) =>
  page.locator('.phase [aria-current="step"]').filter({ hasText: words }).waitFor();
const entry = (page: Page, words: string) =>
  page.locator('.timeline [data-entry]').filter({ hasText: words }).first().waitFor();

/** On a phone the room has tabs. */
const tab = (page: Page, name: string) => page.getByRole('navigation').getByText(name).last().tap();

test.each(STORES)('two people run an incident from its declaration to its closing (%s)', async (store) => {
  house = new House(store);
  const sabrinasToken = house.person('sabrina', 'Sabrina', '--admin');
  house.person('jennifer', 'Jennifer');
  await house.serve();
  const desk = await house.enter('sabrina');
  const phone = await house.enter('jennifer', { viewport: PHONE, isMobile: true, hasTouch: true });

  // Declared at the desk; there at once on the other's board.
  await desk.getByRole('heading', { name: 'Nothing is open. Good.' }).waitFor();
  await desk.keyboard.press('d');
  await desk.keyboard.type('Search is failing for everyone since the new sonnet');
  await desk.keyboard.press('Enter');
  await desk.waitForURL(`${house.url}/incidents/1`);
  await commands(desk, 'Sabrina');
  await phase(desk, 'Active');
  await phone.getByRole('link', { name: /Search is failing for everyone/ }).tap();
  await next(phone).getByRole('button', { name: "I'm here" }).tap();
  await desk.locator('#people').getByText('Jennifer').waitFor();

  // Operations are given away, and taken.
  await desk.getByRole('button', { name: 'Offer Operations' }).click();
  await desk.getByRole('combobox', { name: 'Offer to' }).fill('Jenn');
  await desk.keyboard.press('Enter');
  await next(phone).getByRole('button', { name: 'I have operations' }).tap();
  await phone.getByText('Yours are the only hands that change things.').waitFor();
  await entry(desk, 'took operations');

  // What she does, what stops her; the commander clears it.
  await phone.getByLabel('What you are doing now').fill('Rolling the sonnet back');
  await phone.keyboard.press('Enter');
  await desk
    .locator('#people li')
    .filter({ hasText: 'Jennifer' })
    .getByText('Rolling the sonnet back')
    .waitFor();
  await phone.getByLabel('What stops you').fill('The quota of the eu cell is used up');
  await phone.keyboard.press('Enter');
  await next(desk).getByText('Clear the roadblock of Jennifer').waitFor();
  await next(desk).getByRole('button', { name: 'It is cleared' }).click();
  await phone.getByText('Nothing stops anyone.', { exact: true }).waitFor();

  // It is worse than it looked: everybody sees that.
  await desk.getByRole('button', { name: 'Change…' }).click();
  const panel = desk.getByRole('dialog', { name: 'Change' });
  await panel.getByLabel(/^Why/).fill('The second cell went too');
  await panel.getByRole('button', { name: /^SEV 1/ }).click();
  await phone.getByRole('heading', { level: 1 }).getByText(/SEV.1/).waitFor();
  await panel.getByRole('button', { name: /Close/ }).last().press('Escape');

  // Command is handed over, read and acknowledged.
  await desk.getByRole('button', { name: 'Hand over Incident commander' }).click();
  await desk.getByRole('button', { name: 'Offer command to Jennifer' }).click();
  await desk.getByText('Still you, do not leave.').waitFor();
  await next(phone).getByRole('button', { name: 'Read the briefing' }).tap();
  await phone.getByRole('heading', { name: 'How it stands' }).waitFor();
  const briefing = phone.getByRole('dialog', { name: 'Taking command' });
  await briefing.getByText('The second cell went too').first().waitFor();
  await phone.getByRole('button', { name: 'I have command', exact: true }).tap();
  await commands(desk, 'Jennifer');
  await desk.getByRole('region', { name: 'News' }).getByText('Jennifer has command from Sabrina').waitFor();
  await desk.getByText('Still you, do not leave.').waitFor({ state: 'detached' });

  // She brings it to its end. Whoever no longer commands is told whom to ask.
  await phone.getByRole('button', { name: 'Change…' }).tap();
  const change = phone.getByRole('dialog', { name: 'Change' });
  for (const [words, next] of [
    ['Mitigated', 'Mitigated'],
    ['Resolved', 'Resolved'],
  ] as const) {
    await change.getByRole('button', { name: words, exact: true }).tap();
    await phase(desk, next);
  }
  await desk.getByRole('button', { name: 'Change…' }).click();
  await panel.getByRole('button', { name: 'Closed', exact: true }).click();
  await panel.getByRole('alert').getByText('This is for Jennifer').waitFor();
  expect(await faults(desk)).toEqual([]);
  await change.getByRole('button', { name: 'Closed', exact: true }).tap();
  for (const page of [desk, phone]) {
    await next(page).getByText('This is over. Nothing waits for you.').waitFor();
    await page.getByText('Last commander').waitFor();
  }
  expect(await faults(phone)).toEqual([]);
  await change.getByRole('button', { name: /Close/ }).first().press('Escape');

  // Looking back is still there, and the board is empty again.
  await tab(phone, 'Timeline');
  await phone.getByLabel('Write a note into the timeline').fill('Bug filed for the quota');
  await phone.getByRole('button', { name: 'Note', exact: true }).tap();
  await entry(desk, 'Bug filed for the quota');
  await desk.keyboard.press('Escape');
  await desk.keyboard.press('g');
  await desk.keyboard.press('b');
  await desk.getByRole('heading', { name: 'Nothing is open. Good.' }).waitFor();
  await desk.getByRole('button', { name: 'Show ended incidents' }).click();
  await desk.locator('[data-row]').getByText('Search is failing for everyone').waitFor();
  const told = house.say(sabrinasToken, 'timeline', '1');
  for (const words of [
    'declared a sev2 incident',
    'took operations',
    'raised roadblock 1',
    'cleared roadblock 1',
    'changed the severity from sev2 to sev1: The second cell went too',
    'Jennifer has command from Sabrina, briefed up to entry',
    'says that this is mitigated',
    'says that this is resolved',
    'closed the incident',
  ]) {
    expect(told).toContain(words);
  }
  expect(house.run('verify')).toMatch(/The record holds/);
});
