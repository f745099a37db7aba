// Evidence as somebody brings it: a file with its line, a URL that may not be fetched; and a token that told of too much.
import type { Page } from 'playwright-core';
import type { House } from './house';
import { tooMuch } from './too-much';

type Shoot = (name: string, visit: (page: Page) => Promise<void>, who: string) => Promise<void>;

/** Where what is kept stands, and is brought. */
export async function evidence(house: House, shoot: Shoot): Promise<void> {
  const list = (page: Page) => page.getByRole('region', { name: /^Evidence/ });
  const enter = async (page: Page): Promise<void> => {
    await page.goto(`${house.url}/incidents/1`);
    await list(page).waitFor();
  };
  const low = (page: Page): Promise<void> =>
    list(page).evaluate((node) => node.scrollIntoView({ block: 'center' }));

  await shoot(
    'evidence-bring',
    async (page) => {
      await enter(page);
      const [asks] = await Promise.all([
        page.waitForEvent('filechooser'),
        list(page).getByRole('button', { name: 'Keep a file…' }).click(),
      ]);
      const buffer = Buffer.from('12:01 shard 3 failed\n12:02 shard 4 failed\n');
      await asks.setFiles([{ name: 'errors of the search backends.log', mimeType: 'text/plain', buffer }]);
      await list(page).getByRole('textbox').fill('shards 3 and 4, as they went');
      await low(page);
    },
    'brown',
  );
  await shoot(
    'evidence-fetch-refused',
    async (page) => {
      await enter(page);
      await list(page).getByRole('button', { name: 'Fetch a URL…' }).click();
      const url = list(page).getByRole('textbox', { name: 'The URL' });
      await url.fill('https://graphs.example.org/render/search/errors.png');
      await url.press('Enter');
      await list(page).getByRole('alert').waitFor();
      await low(page);
    },
    'brown',
  );
}

/** Among the tokens, as admins see them. */
export async function refusedToken(house: House, shoot: Shoot): Promise<void> {
  await tooMuch(
    house.url,
    house.run('token', 'create', 'marty', '--scope', 'gate').trim().split(' ').at(-1)!,
  );
  await shoot(
    'admin-tokens-refused',
    async (page) => {
      await page.goto(`${house.url}/admin/tokens`);
      await page.getByText('Told of too many changes, and was not heard').waitFor();
    },
    'sabrina',
  );
}
