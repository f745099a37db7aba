// Permission to change services, as each sees it who is part in it: asked for, given, running out, declined, over broken
// glass; a change that is to be sorted; and a line that names no service.
import type { Page } from 'playwright-core';
import type { House } from './house';

type Shoot = (name: string, visit: (page: Page) => Promise<void>, who: string) => Promise<void>;

/** Sabrina commands, Doc Brown has operations, Jennifer and Marty are outside. */
export async function permissions(
  house: House,
  shoot: Shoot,
  tokens: { sabrina: string; brown: string; jennifer: string; marty: string },
): Promise<void> {
  const { sabrina, brown, jennifer, marty } = tokens;
  const declared = house.say(
    sabrina,
    'declare',
    'Payments are declined in the eu cell',
    '--severity',
    'sev1',
    '--service',
    'payments',
    '--service',
    'checkout',
  );
  const n = /#(\d+)/.exec(declared)![1]!;
  house.say(brown, 'join', n);
  house.say(sabrina, 'offer', n, 'operations', 'brown');
  house.say(brown, 'take', n, 'operations');
  const room = `${house.url}/incidents/${n}`;
  const field = (page: Page) => page.getByRole('textbox', { name: 'What you would change, and why' });
  const ledger = (page: Page) => page.getByRole('group', { name: /^Differs from normal right now/ });
  const low = async (page: Page): Promise<void> => {
    await ledger(page).waitFor();
    await ledger(page).evaluate((node) => node.scrollIntoView({ block: 'center' }));
  };

  await shoot(
    'permission-link',
    async (page) => {
      await page.goto(`${room}?permission=checkout`);
      await field(page).waitFor();
      await page.waitForFunction(() => document.activeElement?.id === 'permission');
    },
    'jennifer',
  );
  await shoot(
    'permission-typed',
    async (page) => {
      await page.goto(`${room}?permission=checkout`);
      await field(page).fill('roll the checkout of eu-1 back to v11, it holds every second card');
    },
    'jennifer',
  );
  house.say(jennifer, 'permission', n, 'ask', 'roll checkout back to v11 in eu-1', '--service', 'checkout');
  await shoot(
    'permission-grant',
    async (page) => {
      await page.goto(room);
      await page.getByText('Jennifer asks to change').first().waitFor();
    },
    'brown',
  );
  await shoot(
    'permission-asked',
    async (page) => {
      await page.goto(room);
      await low(page);
    },
    'jennifer',
  );
  house.say(brown, 'permission', n, 'decline', 'jennifer', '--reason', 'eu-1 is being drained');
  await shoot(
    'permission-declined',
    async (page) => {
      await page.goto(room);
      await low(page);
    },
    'jennifer',
  );
  house.say(brown, 'permission', n, 'grant', 'jennifer', '--service', 'checkout', '--minutes', '2');
  await shoot(
    'permission-ends',
    async (page) => {
      await page.goto(room);
      await low(page);
    },
    'jennifer',
  );
  await shoot(
    'permission-glass',
    async (page) => {
      await page.goto(room);
      await field(page).fill('every second card is held, and nobody answers');
      await page.getByRole('button', { name: 'It cannot wait…' }).click();
      await page.getByRole('button', { name: 'Break the glass' }).waitFor();
    },
    'marty',
  );
  const broken = { command: 'break_glass', services: ['payments'], reason: 'every second card is held' };
  await fetch(`${house.url}/api/v1/incidents/${n}/commands`, {
    method: 'POST',
    headers: { authorization: `Bearer ${marty}`, 'content-type': 'application/json' },
    body: JSON.stringify({ request_id: crypto.randomUUID(), ...broken }),
  });
  for (const who of ['sabrina', 'lorraine', 'marty']) {
    await shoot(
      `permission-broken-${who}`,
      async (page) => {
        await page.goto(room);
        await page.getByText('Marty broke the glass').first().waitFor({ state: 'attached' });
        if (who !== 'sabrina') await low(page);
      },
      who,
    );
  }
  house.say(marty, 'change', n, 'record', 'checkout: restarted the card reader pods');
  await shoot(
    'permission-sort',
    async (page) => {
      await page.goto(room);
      await page.getByText('restarted the card reader pods').first().waitFor();
    },
    'brown',
  );
  await shoot(
    'permission-unnamed',
    async (page) => {
      await page.goto(room);
      const line = page.getByRole('textbox', { name: 'A change to a service' });
      await line.fill('eu-1/cards: drained');
      await line.press('Enter');
      await page.getByText('Nobody here knows a service').waitFor();
      await low(page);
    },
    'brown',
  );
}
