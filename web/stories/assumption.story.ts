// The commander is gone: asked whether they are still there, and succeeded by two others together. And one whose account
// was closed is succeeded by any responder alone.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { commands } from './hands';
import { House, PHONE } from './house';

let house: House;
afterEach(async () => await house.close());

const next = (page: Page) => page.getByRole('region', { name: 'What you do next' });

const REASON = 'She was on a train, and the line broke off';

test('two responders succeed a commander whom nobody has seen for five minutes', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina', '--admin');
  const [marty, brown] = [house.person('marty', 'Marty'), house.person('brown', 'Doc Brown')];
  // Twelve seconds in each of ours, for the server alone: five minutes are over soon, and what waits for a second word
  // still waits long enough for hands.
  await house.serve({
    LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!,
    FAKETIME: '+0s x12',
    FAKETIME_DISABLE_SHM: '1',
  });
  house.say(sabrina, 'declare', 'Search is failing for everyone');
  for (const token of [marty, brown]) house.say(token, 'join', '1');
  const away = await house.enter('sabrina');
  const desk = await house.enter('marty');
  const phone = await house.enter('brown', { viewport: PHONE, isMobile: true, hasTouch: true });
  for (const page of [away, desk, phone]) await page.goto(`${house.url}/incidents/1`);

  // From here on she touches nothing.
  await next(desk).getByText('Sabrina commands and is not here').waitFor({ timeout: 120_000 });
  await next(away).getByText('Still with us?').waitFor();
  await desk
    .locator('header .lead')
    .getByText(/not seen for/)
    .waitFor();
  expect(await faults(desk)).toEqual([]);
  await next(desk).getByRole('button', { name: 'Assume command…' }).click();
  const panel = desk.getByRole('dialog', { name: 'Assume command' });
  await panel.getByText('was not seen for').waitFor();
  expect(await panel.getByLabel('is not seen').isChecked()).toBe(true);
  await panel.getByLabel('Why, in a sentence').fill(REASON);
  expect(await faults(desk)).toEqual([]);
  await panel.getByRole('button', { name: 'Assume command' }).click();
  await panel.getByText('A second responder confirms it.').waitFor();
  await commands(desk, 'Sabrina');

  await next(phone).getByText('Marty would assume command.').waitFor();
  await next(phone).getByRole('button', { name: 'Look and confirm' }).tap();
  const asked = phone.getByRole('dialog', { name: 'Assume command' });
  await asked.getByText(REASON).waitFor();
  expect(await faults(phone)).toEqual([]);
  await asked.getByRole('button', { name: 'I confirm: Marty has command' }).tap();

  // Announced to everybody, and first of all to her.
  for (const page of [away, desk, phone]) await commands(page, 'Marty');
  for (const page of [away, phone]) {
    await page
      .getByRole('region', { name: 'News' })
      .getByText('Marty ASSUMED COMMAND from Sabrina, confirmed by Doc Brown')
      .waitFor();
  }
  await desk.getByText('You keep the whole in view.').waitFor();
  await next(away).getByText('Still with us?').waitFor({ state: 'detached' });
  await desk.locator('.timeline').getByText(REASON).first().waitFor();
  expect(house.run('verify')).toMatch(/The record holds/);
});

test('whoever commands with a closed account is succeeded by any responder alone', async () => {
  house = new House('sqlite');
  house.person('ada', 'Ada', '--admin');
  const sabrina = house.person('sabrina', 'Sabrina');
  const marty = house.person('marty', 'Marty');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is failing for everyone');
  house.say(marty, 'join', '1');
  const desk = await house.enter('marty');
  await desk.goto(`${house.url}/incidents/1`);
  await commands(desk, 'Sabrina');
  house.run('person', 'deactivate', 'sabrina');
  await next(desk).getByText('The account of Sabrina, who commands, was deactivated.').waitFor();
  await desk.locator('#people li').filter({ hasText: 'Sabrina' }).getByText('account closed').waitFor();
  await next(desk).getByRole('button', { name: 'Assume command…' }).click();
  const panel = desk.getByRole('dialog', { name: 'Assume command' });
  await panel.getByText('Sabrina').first().waitFor();
  expect(await panel.getByText('was seen in the last few minutes').count(), 'her account is closed').toBe(0);
  await panel.getByLabel('Why, in a sentence').fill('Her account was closed');
  await panel.getByRole('button', { name: 'Assume command' }).click();
  await commands(desk, 'Marty');
  expect(await faults(desk)).toEqual([]);
});
