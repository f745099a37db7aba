// A guest: called to help by a link or its picture, on a phone, and in one incident alone.
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

/** By how many pixels the page is wider than the window. */
const tooWide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const phone = { viewport: PHONE, isMobile: true, hasTouch: true };

test.each(STORES)(
  'a guest comes by a link on a phone, takes a role, and is sent away (%s)',
  async (store) => {
    house = new House(store);
    const sabrina = house.person('sabrina', 'Sabrina', '--admin');
    await house.serve();
    house.say(sabrina, 'declare', 'Search is failing for everyone');
    house.say(sabrina, 'declare', 'Something that is no business of guests');
    const desk = await house.enter('sabrina');
    await desk.goto(`${house.url}/incidents/1`);
    await desk.getByRole('button', { name: 'invite a guest' }).click();
    const panel = desk.getByRole('dialog', { name: 'Invite a guest' });
    await panel.getByText('Nobody can come in by a link').waitFor();
    await panel.getByLabel('1 hour').check();
    await panel.getByRole('button', { name: 'Make a link' }).click();
    await panel.getByRole('img', { name: 'The link, as a code for a camera' }).waitFor();
    await panel.getByText('0 of 50 came').waitFor();
    const link = (await panel.locator('code').textContent()) ?? '';
    expect(link.startsWith(`${house.url}/guest#wg_`)).toBe(true);
    expect(await faults(desk)).toEqual([]);

    // Whatever a log on the way could keep.
    const asked: string[] = [];
    const guest = await house.open(phone);
    guest.on('request', (request) => asked.push(request.url()));
    await guest.goto(link);
    await guest.getByText('Sabrina invites you into an incident').waitFor();
    expect(await guest.content()).not.toContain('Search is failing');
    for (const width of [390, 320]) {
      await guest.setViewportSize({ width, height: 844 });
      expect(await tooWide(guest), `the door at ${width}`).toBe(0);
      expect(await faults(guest)).toEqual([]);
    }
    await guest.getByLabel('Your name').fill('Marty');
    await guest.getByRole('button', { name: 'Come in' }).tap();
    await guest.waitForURL(`${house.url}/incidents/1`);
    await guest.getByText('Search is failing for everyone').first().waitFor();
    await guest.locator('#people').getByText('Marty').waitFor();
    expect(await tooWide(guest)).toBe(0);
    expect(await faults(guest)).toEqual([]);
    expect(asked.filter((url) => url.includes('wg_'))).toEqual([]);
    // There is nothing else to go to.
    await guest.goto(`${house.url}/`);
    await guest.waitForURL(`${house.url}/incidents/1`);
    await guest.goto(`${house.url}/incidents/2`);
    await guest.getByText('There is no incident #2 that you can see.').waitFor();
    await guest.goto(`${house.url}/incidents/1`);
    await guest.getByLabel('Write a note into the timeline').fill('The pump is dry');
    await guest.keyboard.press('Enter');

    // At the desk: marked wherever the name stands.
    await panel.getByText('1 of 50 came').waitFor();
    await panel.getByRole('button', { name: /Close/ }).click();
    const marty = desk.locator('#people li').filter({ hasText: 'Marty' });
    await marty.getByText('guest', { exact: true }).waitFor();
    await desk.locator('.timeline').getByText('Marty (guest)').first().waitFor();
    house.say(sabrina, 'offer', '1', 'operations', 'guest-marty');
    await guest.getByRole('region', { name: 'What you do next' }).locator('.go').tap();
    await marty.getByText('Operations').waitFor();
    await marty.getByRole('button', { name: /^Send away: Marty/ }).click();
    await guest.getByRole('heading', { name: 'Thank you for helping' }).waitFor();
    expect(await faults(guest)).toEqual([]);
    await marty.waitFor({ state: 'detached' });

    // Taken back, the link says what to do.
    await desk.locator('main').press('i');
    await panel.getByRole('button', { name: 'Take back' }).click();
    await panel.getByText('Nobody can come in by a link').waitFor();
    const late = await house.open(phone);
    await late.goto(link);
    await late.getByText('This link was taken back. Ask whoever sent you the link for a new one.').waitFor();
    expect(await faults(late)).toEqual([]);
  },
);
