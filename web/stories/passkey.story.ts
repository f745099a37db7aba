// Passkeys in a real browser, held by a virtual authenticator; and being asked once more who one is.
import type { CDPSession, Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PASSWORD, PHONE, STORES } from './house';

let house: House;
afterEach(async () => await house.close());

const tooWide = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Where pictures of the way go, if anybody wants them. */
const pictures = process.env.STORY_PICTURES;
async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` });
}

/** A finger that is always laid on. */
async function authenticator(page: Page): Promise<{ cdp: CDPSession; id: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, id: authenticatorId };
}

async function openPasskeys(page: Page) {
  await page.getByRole('button', { name: /^You:/ }).click();
  await page.getByRole('button', { name: 'Your passkeys' }).click();
  return page.getByRole('dialog', { name: 'Your passkeys' });
}

/** By its name: a passkey is bound to one. */
async function serve(store: (typeof STORES)[number]): Promise<void> {
  house = new House(store);
  house.person('sabrina', 'Sabrina', '--admin');
  await house.serve();
  house.url = house.url.replace('127.0.0.1', 'localhost');
}

test.each(STORES)('a passkey is added, lets in, and is removed (%s)', async (store) => {
  await serve(store);
  for (const options of [
    {},
    { viewport: PHONE, isMobile: true, hasTouch: true, colorScheme: 'dark' as const },
  ]) {
    const where = 'viewport' in options ? 'phone-dark' : 'desk-light';
    const page = await house.enter('sabrina', options);
    const { cdp, id } = await authenticator(page);
    const panel = await openPasskeys(page);
    await panel.getByText('You have none yet.').waitFor();
    await panel.getByLabel('What you call it').fill('My phone');
    await panel.getByRole('button', { name: 'Add a passkey' }).click();
    await panel.getByText('My phone').waitFor();
    await panel.getByText(/never used/).waitFor();
    await picture(page, `passkeys-${where}`);
    expect(await faults(page)).toEqual([]);
    expect(await tooWide(page)).toBe(0);
    // The same device makes no second one.
    await panel.getByRole('button', { name: 'Add a passkey' }).click();
    await panel.getByText('This device holds a passkey of yours already').waitFor();
    await panel.getByRole('button', { name: /Close/ }).click();

    // Nobody lays a finger on before the button is pressed.
    await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: id, enabled: false });
    await page.getByRole('button', { name: /^You:/ }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your handle').waitFor();
    await picture(page, `sign-in-${where}`);
    expect(await faults(page)).toEqual([]);
    expect(await tooWide(page)).toBe(0);
    await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: id, enabled: true });
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('button', { name: /^You: Sabrina/ }).waitFor();

    const again = await openPasskeys(page);
    await again.getByText(/^used/).waitFor();
    await again.getByRole('button', { name: 'Remove My phone' }).click();
    await again.getByText('You have none yet.').waitFor();
    await page.context().clearCookies();
    await page.goto(house.url);
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByText(/Wardroom does not know it/).waitFor();
    expect(await faults(page)).toEqual([]);
    await page.context().close();
  }
});

test.each(STORES)('an old session is asked who sits there, and then it is done (%s)', async (store) => {
  await serve(store);
  const page = await house.enter('sabrina');
  const { cdp, id } = await authenticator(page);
  const panel = await openPasskeys(page);
  await panel.getByLabel('What you call it').fill('The red key');
  await panel.getByRole('button', { name: 'Add a passkey' }).click();
  await panel.getByText('The red key').waitFor();

  // Twenty minutes later.
  const later = (ahead: string) => ({
    LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!,
    FAKETIME: ahead,
    FAKETIME_DISABLE_SHM: '1',
  });
  await house.kill();
  await house.serve(later('+20m'));
  await page.reload();
  let asked = page.getByRole('dialog', { name: 'Is it still you?' });
  let mine = await openPasskeys(page);
  await mine.getByRole('button', { name: 'Remove The red key' }).click();
  await asked.getByText('You signed in a while ago').waitFor();
  await asked.getByRole('button', { name: 'Use a passkey' }).waitFor();
  await picture(page, 'step-up-desk-light');
  expect(await faults(page)).toEqual([]);
  // Not now: nothing is done, and that is said.
  await asked.getByRole('button', { name: /Close/ }).click();
  await mine.getByText('You signed in a while ago').waitFor();
  await mine.getByText('The red key').waitFor();
  await mine.getByRole('button', { name: 'Remove The red key' }).click();
  await asked.getByRole('textbox', { name: 'Your password' }).fill('not the one at all');
  await page.keyboard.press('Enter');
  await asked.getByText('do not belong together').waitFor();
  await asked.getByRole('button', { name: 'Use a passkey' }).click();
  await mine.getByText('You have none yet.').waitFor();
  expect(await asked.count()).toBe(0);

  // And by a password, on a phone: adding one asks too.
  await cdp.send('WebAuthn.clearCredentials', { authenticatorId: id });
  await house.kill();
  await house.serve(later('+50m'));
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.reload();
  asked = page.getByRole('dialog', { name: 'Is it still you?' });
  mine = await openPasskeys(page);
  await mine.getByRole('button', { name: 'Add a passkey' }).click();
  await asked.getByRole('textbox', { name: 'Your password' }).fill(PASSWORD);
  await picture(page, 'step-up-phone-dark');
  expect(await tooWide(page)).toBe(0);
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await mine.getByText(/Chrome on Linux/).waitFor();
});
