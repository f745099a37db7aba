// An admin looks after who is here: people and their links, teams, services, a roster, tokens, and the audit of it all.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PASSWORD, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

const PARTS = ['people', 'teams', 'services', 'tokens', 'settings', 'audit'];

const tooWide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const ROSTER = `
[[people]]
handle = "emma"
name = "Emma"
[[people]]
handle = "ivan"
name = "Ivan the First"
[[teams]]
name = "dispatch"
members = ["emma", "ivan"]
`;

test.each(STORES)('an admin lets people in, and reads all of it in the audit (%s)', async (store) => {
  house = new House(store);
  house.person('ada', 'Ada', '--admin');
  await house.serve();
  const ada = await house.enter('ada');

  // By keyboard: to the page, a person added, and a link for them.
  await ada.keyboard.press('g');
  await ada.keyboard.press('a');
  await ada.getByRole('heading', { name: 'People' }).waitFor();
  expect(await faults(ada)).toEqual([]);
  await ada.getByRole('button', { name: 'Add a person' }).press('Enter');
  await ada.keyboard.type('Ivan Ivanov');
  await ada.keyboard.press('Enter');
  const panel = ada.getByRole('dialog');
  const makeLink = panel.getByRole('button', { name: 'Make a sign-in link' });
  await makeLink.waitFor();
  expect(await panel.getByLabel('Handle').inputValue()).toBe('ivan-ivanov');
  await panel.getByLabel('Handle').fill('ivan');
  await ada.keyboard.press('Enter');
  await panel.getByText('Saved.').waitFor();
  await makeLink.press('Enter');
  await panel.getByText('it is shown once').waitFor();
  expect(await faults(ada)).toEqual([]);
  const link = (await panel.locator('code').textContent()) ?? '';
  expect(link.startsWith(`${house.url}/welcome#wl_`)).toBe(true);
  await ada.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });

  // He comes in by it, makes a token, and is told who can help with the rest.
  const ivan = await house.open();
  await ivan.goto(link);
  await ivan
    .getByLabel(/password/i)
    .first()
    .fill(PASSWORD);
  await ivan.keyboard.press('Enter');
  await ivan.waitForURL(`${house.url}/`);
  await ivan.getByRole('button', { name: 'You: Ivan' }).click();
  await ivan.getByText('Your tokens').click();
  await ivan.getByLabel('What it is for').fill('the wall');
  await ivan.getByRole('button', { name: 'Make a token' }).click();
  await ivan.getByText('Take it now').waitFor();
  const secret = (await ivan.locator('#you code').textContent()) ?? '';
  expect(secret.startsWith('wr_')).toBe(true);
  expect(await faults(ivan)).toEqual([]);
  await ivan.goto(`${house.url}/admin/audit`);
  await ivan.getByText('This is for admins.').waitFor();
  await ivan.locator('main').getByText('Ada', { exact: true }).waitFor();
  expect(await faults(ivan)).toEqual([]);

  // A team and a service; a name that nobody knows is marked.
  await ada.getByRole('link', { name: 'Teams' }).click();
  await ada.getByRole('button', { name: 'Add a team' }).click();
  await panel.getByLabel('Name', { exact: true }).fill('search-sre');
  await panel.getByLabel(/Add somebody/).fill('ivan');
  await ada.keyboard.press('Enter');
  await panel.getByRole('button', { name: 'Take out Ivan Ivanov' }).waitFor();
  expect(await faults(ada)).toEqual([]);
  await panel.getByRole('button', { name: 'Save the team' }).click();
  await ada.locator('.rows').getByText('Ivan Ivanov').waitFor();
  await ada.getByRole('link', { name: 'Services' }).click();
  await ada.getByRole('button', { name: 'Add a service' }).click();
  await panel.getByLabel('Name', { exact: true }).fill('search');
  await panel.getByLabel('Owned by').selectOption('search-sre');
  await panel.getByLabel(/Needs/).fill('index');
  await panel.getByRole('button', { name: 'Save the service' }).click();
  await ada.getByText('index: unknown').waitFor();
  await ada.getByText('owned by search-sre').waitFor();

  // A roster: first what it would change, then the change.
  const file = join(tmpdir(), `roster-${crypto.randomUUID()}.toml`);
  writeFileSync(file, ROSTER);
  await ada.getByRole('link', { name: 'People' }).click();
  await ada.getByRole('button', { name: 'Import a roster' }).click();
  await panel.getByLabel('The file').setInputFiles(file);
  await panel.getByText('the audit would say these 3 things:').waitFor();
  await panel.getByText('Ada set the team dispatch: ').waitFor();
  expect(await ada.locator('.rows').getByText('Emma').count()).toBe(0);
  expect(await faults(ada)).toEqual([]);
  await panel.getByRole('button', { name: 'Import it' }).click();
  await panel.getByText('Imported.').waitFor();
  await ada.locator('.rows').getByText('Ivan the First').waitFor();
  await panel.getByRole('button', { name: /Close/ }).click();

  // His token is revoked: what follows by it ends.
  const stream = await fetch(`${house.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  expect(stream.status).toBe(200);
  const ended = stream.text();
  await ada.getByRole('link', { name: 'Tokens' }).click();
  await ada.getByRole('button', { name: 'Revoke the wall' }).click();
  await ended;
  await ada.getByRole('button', { name: 'Revoke the wall' }).waitFor({ state: 'detached' });

  // All of it stands in the audit, which goes on while it is read.
  await ada.getByRole('link', { name: 'Audit' }).click();
  for (const told of [
    'Ada revoked the token “the wall”, of Ivan the First',
    'Ada set the service search: it is owned by search-sre, and needs index',
    'Ada made a sign-in link for Ivan the First',
    'Ivan the First came in by a sign-in link',
  ]) {
    await ada.getByText(told).first().waitFor();
  }
  house.run('person', 'add', 'robin', '--name', 'Robin');
  await ada.getByText('Somebody at the machine added Robin (robin)').waitFor();
  await ada.getByLabel('About').selectOption('tokens');
  await ada.getByText('added Robin').waitFor({ state: 'detached' });
  await ada.getByText('Ada revoked the token').waitFor();
  await ada.getByLabel('Who').fill('ivan');
  await ada.getByText('made the token “the wall”').waitFor();

  // On a phone nothing is wider than the window.
  const phone = await house.enter('ada', { viewport: PHONE, isMobile: true, hasTouch: true });
  for (const part of PARTS) {
    await phone.goto(`${house.url}/admin/${part}`);
    await phone.locator('main .rows li').first().waitFor();
    await phone.getByText('Looking…').waitFor({ state: 'detached' });
    for (const width of [390, 320]) {
      await phone.setViewportSize({ width, height: 844 });
      expect(await tooWide(phone), `${part} at ${width}`).toBe(0);
      expect(await faults(phone), `${part} at ${width}`).toEqual([]);
    }
  }
});
