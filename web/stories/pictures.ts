// `make pictures`: each page at desk and phone width, light and dark, on the demo's store, to be looked at.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { test } from 'vitest';
import { DESK, House, PHONE } from './house';
import { graph, paste } from './paste';
import { evidence, refusedToken } from './pictures-evidence';
import { permissions } from './pictures-permission';
import { editor, into, noConnection, saved } from './written';

const folder = process.env.PICTURES ?? join(import.meta.dirname, '../../target/pictures');
mkdirSync(folder, { recursive: true });

const house = new House('sqlite');
const sabrina = house.person('sabrina', 'Sabrina', '--admin');
const brown = house.person('brown', 'Doc Brown');
const marty = house.person('marty', 'Marty');
const lorraine = house.person('lorraine', 'Lorraine');
const jennifer = house.person('jennifer', 'Jennifer');

/** An incident in full swing. */
function play(): void {
  const say = (token: string, ...words: string[]) => house.say(token, ...words);
  say(
    sabrina,
    'declare',
    'Search is failing for everyone since the new sonnet',
    '--severity',
    'sev1',
    '--service',
    'search',
  );
  for (const token of [brown, marty, lorraine]) say(token, 'join', '1');
  say(sabrina, 'offer', '1', 'operations', 'brown');
  say(brown, 'take', '1', 'operations');
  say(sabrina, 'offer', '1', 'communications', 'lorraine');
  say(lorraine, 'take', '1', 'communications');
  say(brown, 'doing', '1', 'watching the warm-up of cell eu-1');
  say(marty, 'doing', '1', 'reindex job, 2 of 4');
  say(brown, 'note', '1', 'First cluster warm in about ten minutes.');
  say(marty, 'note', '1', 'Query of death reproduced on a canary with one replica. The cache does not help.');
  say(marty, 'roadblock', '1', 'Quota for the eu cell needs the capacity desk');
  say(lorraine, 'note', '1', 'First update went to 412 stakeholders.');
  for (const words of [
    'Sonnet in the search corpus',
    'Availability and latency within objectives for 30 minutes',
  ])
    say(sabrina, 'criterion', '1', 'add', words);
  say(sabrina, 'criterion', '1', 'meet', '1');
  say(marty, 'todo', '1', 'add', 'Run the reindex job', '--for', 'marty');
  say(marty, 'todo', '1', 'finish', '1');
  say(marty, 'todo', '1', 'add', 'Balance load between clusters', '--for', 'brown');
  say(marty, 'todo', '1', 'link', '2', 'https://bugs.example/5554823');
  say(lorraine, 'todo', '1', 'add', 'Dinner for seven');
  say(
    brown,
    'change',
    '1',
    'record',
    'frontend: Traffic capped at 30 %',
    '--undo',
    'remove the cap, rev 8812',
  );
  say(marty, 'change', '1', 'record', 'search: Crash-on-miss check disabled');
  say(brown, 'change', '1', 'announce', 'search: Reindex eu-2 with the sonnet', '--why', 'eu-1 is warm');
  say(brown, 'change', '1', 'record', 'search: Drained eu-1');
  say(brown, 'change', '1', 'revert', '4', 'it is warm again');
  say(lorraine, 'still-true', '1', 'summary');
  say(marty, 'declare', 'Checkout is slow in the eu cell', '--severity', 'sev3', '--service', 'checkout');
  say(brown, 'declare', 'Disk of the log archive fills up', '--severity', 'sev2');
}

const SUMMARY =
  'Search returns **errors** for about 92 % of queries. A sonnet that is not in the index sends the backends into a crash loop; load then moves to the next cluster and takes it down too.';
const STATUS =
  'Reindexing with the sonnet runs in two of four clusters, see #10. Traffic is held at 30 % until the first of them is warm. @brown watches eu-1.';
const NOTES = `## What we tried
- [x] drain cell eu-1
- [ ] balance load between clusters
- [ ] ask [the capacity desk](https://desk.example/quota)

| Cell | State |
| --- | --- |
| eu-1 | warm in ten minutes |
| eu-2 | held at 30 % |

Query of death reproduced on a canary with \`replicas=1\`. The cache does not help.
`;

/** Lorraine and Marty write the document, and command is offered to Jennifer. */
async function write(): Promise<void> {
  const into = async (page: Page, part: string, words: string): Promise<void> => {
    await page.goto(`${house.url}/incidents/1`);
    await page.locator('.document h2').getByText('saved').waitFor();
    await page.getByRole('textbox', { name: part }).focus();
    await page.keyboard.insertText(words);
    // Behind who changed it, once that is known.
    await page
      .locator('.document .state')
      .getByText(/saved$/)
      .last()
      .waitFor();
  };
  const [lorraine, marty] = [await house.enter('lorraine'), await house.enter('marty')];
  await into(lorraine, 'Summary', SUMMARY);
  await into(marty, 'Detailed status', STATUS);
  await into(marty, 'Working notes', NOTES);
  await marty.context().close();
  // What is written is marked with it.
  house.say(sabrina, 'offer', '1', 'command', 'jennifer');
  // She stays in it, to be seen.
  await lorraine.getByRole('textbox', { name: 'Summary' }).focus();
}

/** Only pictures with these words in their names, where somebody looks at a part: PICTURES_OF=invite,admin-team. */
const only = process.env.PICTURES_OF?.split(',');

async function shoot(name: string, visit: (page: Page) => Promise<void>, who: string | null): Promise<void> {
  if (only && !only.some((words) => name.includes(words))) return;
  for (const [width, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await house.back();
      const options = { viewport, colorScheme, hasTouch: width === 'phone', isMobile: width === 'phone' };
      const page = who ? await house.enter(who, options) : await house.open(options);
      await visit(page);
      for (const words of ['connecting…', 'Reading what happened…', 'opening…'])
        await page.getByText(words).waitFor({ state: 'detached' });
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
      await page.context().close();
    }
  }
}

const ROSTER = `
[[people]]
handle = "emma"
name = "Emma"
[[teams]]
name = "dispatch"
members = ["emma", "marty"]
`;

/** A picture in the notes; and what was written when command was offered, beside the room. */
async function marks(): Promise<void> {
  const room = `${house.url}/incidents/1`;
  const marty = await house.enter('marty');
  await marty.goto(room);
  await saved(marty);
  await into(marty);
  await marty.keyboard.press('Enter');
  await paste(marty, 'errors per second.png', 'image/png', await graph(marty));
  await editor(marty).locator('.md-picture img').waitFor();
  await saved(marty);
  house.say(sabrina, 'withdraw', '1', 'command');
  house.say(sabrina, 'offer', '1', 'command', 'jennifer');
  await marty.context().close();
  await shoot(
    'pasted',
    async (page) => {
      await page.goto(room);
      await saved(page);
      await editor(page).locator('.md-picture img').waitFor();
      await editor(page).locator('.md-picture').scrollIntoViewIfNeeded();
    },
    'brown',
  );
  await shoot(
    'mark',
    async (page) => {
      await page.goto(room);
      await saved(page);
      const timeline = page.getByRole('button', { name: 'Timeline', exact: true });
      if (await timeline.isVisible()) await timeline.click();
      await page
        .getByRole('button', { name: /^(what was written then|read it)/ })
        .first()
        .click();
      await page.getByRole('dialog', { name: 'What was written then' }).getByText('What we tried').waitFor();
    },
    'brown',
  );
}

/** What opens beside a page, and the doors. */
async function panels(): Promise<void> {
  const room = `${house.url}/incidents/1`;
  const link = (): string => /\/welcome#\S+/.exec(house.run('person', 'link', 'jennifer'))?.[0] ?? '';
  await shoot(
    'welcome',
    async (page) => {
      await page.goto(house.url + link());
      await page.getByText('Choose a password, and you are in.').waitFor();
    },
    null,
  );
  let invite = '';
  await shoot(
    'invite',
    async (page) => {
      await page.goto(room);
      await page.getByRole('button', { name: 'invite a guest' }).click();
      await page.getByRole('button', { name: 'Make a link' }).click();
      await page.getByRole('img', { name: 'The link, as a code for a camera' }).waitFor();
      invite = (await page.getByRole('dialog').locator('code').textContent()) ?? '';
    },
    'sabrina',
  );
  await shoot(
    'guest',
    async (page) => {
      await page.goto(invite);
      await page.getByText('invites you into an incident').waitFor();
    },
    null,
  );
  await shoot(
    'change',
    async (page) => {
      await page.goto(room);
      await page.getByRole('button', { name: 'Change…' }).click();
      await page.getByRole('dialog', { name: 'Change' }).waitFor();
    },
    'sabrina',
  );
  await shoot(
    'assume',
    async (page) => {
      await page.goto(room);
      await page.getByText('Nothing waits for you.').waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'What to do' }).fill('Assume command');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog', { name: 'Assume command' }).waitFor();
    },
    'lorraine',
  );
  const opens: [string, string, string][] = [
    ['admin-team', 'teams', 'Open search-sre'],
    ['admin-service', 'services', 'Open search'],
    ['admin-import', 'people', 'Import a roster'],
  ];
  for (const [name, part, words] of opens) {
    await shoot(
      name,
      async (page) => {
        await page.goto(`${house.url}/admin/${part}`);
        await page.getByRole('button', { name: words }).click();
        if (name !== 'admin-import') return await page.getByRole('dialog').waitFor();
        const file = { name: 'roster.toml', mimeType: 'application/toml', buffer: Buffer.from(ROSTER) };
        await page.getByLabel('The file').setInputFiles(file);
        await page.getByText('the audit would say these').waitFor();
      },
      'sabrina',
    );
  }
  // Somebody who signed in a while ago: each time the server's clock is a little further.
  let ahead = 0;
  await shoot(
    'step-up',
    async (page) => {
      await house.kill();
      await house.serve({
        LD_PRELOAD: process.env.WARDROOM_TEST_FAKETIME!,
        FAKETIME: `+${(ahead += 20)}m`,
        FAKETIME_DISABLE_SHM: '1',
      });
      await page.goto(`${house.url}/admin/people`);
      await page.getByRole('button', { name: 'Open Marty' }).click();
      await page.getByRole('button', { name: 'Make a sign-in link' }).click();
      await page.getByRole('dialog', { name: 'Is it still you?' }).waitFor();
    },
    'sabrina',
  );
}

test('pictures', async () => {
  await house.serve();
  try {
    await shoot(
      'board-empty',
      async (page) => void (await page.getByRole('heading').first().waitFor()),
      'sabrina',
    );
    play();
    await shoot(
      'sign-in',
      async (page) => {
        await page.goto(house.url);
        await page.getByLabel('Your handle').waitFor();
      },
      null,
    );
    await shoot(
      'board',
      async (page) => {
        await page.getByText('Checkout is slow').first().waitFor();
      },
      'jennifer',
    );
    await shoot(
      'declare',
      async (page) => {
        await page.getByText('Checkout is slow').first().waitFor();
        await page
          .getByRole('button', { name: /declare/i })
          .first()
          .click();
        await page.getByLabel('What is wrong?').fill('Search is slow');
      },
      'jennifer',
    );
    await permissions(house, shoot, { sabrina, brown, jennifer, marty });
    await write();
    await shoot(
      'incident',
      async (page) => {
        await page.goto(`${house.url}/incidents/1`);
        await page.getByText('offers you command').first().waitFor();
      },
      'jennifer',
    );
    await shoot(
      'document',
      async (page) => {
        await page.goto(`${house.url}/incidents/1/document`);
        await page.locator('.document').getByText('capacity desk').first().waitFor();
        await page.locator('.document').scrollIntoViewIfNeeded();
      },
      'brown',
    );
    await shoot(
      'sheet',
      async (page) => {
        await page.goto(`${house.url}/api/v1/incidents/1/document.html`);
        await page.pdf({ path: join(folder, 'sheet.pdf'), format: 'A4' });
      },
      'brown',
    );
    await shoot(
      'writing',
      async (page) => {
        await page.goto(`${house.url}/incidents/1`);
        await page.locator('.document h2').getByText('saved').waitFor();
        await page.getByRole('textbox', { name: 'Working notes' }).focus();
        await page.keyboard.press('Control+End');
        await page.locator('[data-part="notes"]').getByRole('button', { name: 'who wrote what' }).click();
        await page.getByText(/^Written by Marty/).waitFor();
        await page.getByText(/^Written by Marty/).scrollIntoViewIfNeeded();
      },
      'brown',
    );
    await shoot(
      'lists',
      async (page) => {
        await page.goto(`${house.url}/incidents/1/document`);
        await page.getByRole('button', { name: 'More to do with: Availability' }).click();
        await page.getByRole('heading', { name: 'To-do list and bugs filed' }).scrollIntoViewIfNeeded();
        await page.getByRole('textbox', { name: 'Working notes' }).scrollIntoViewIfNeeded();
      },
      'sabrina',
    );
    await shoot(
      'settle',
      async (page) => {
        await page.goto(`${house.url}/incidents/1`);
        await page.getByRole('button', { name: 'Change…' }).click();
        await page.getByRole('dialog', { name: 'Change' }).getByRole('button', { name: 'Resolved' }).click();
        await page.getByRole('button', { name: /^It is met: / }).waitFor();
      },
      'sabrina',
    );
    await shoot(
      'handoff',
      async (page) => {
        await page.goto(`${house.url}/incidents/1`);
        await page.getByRole('button', { name: 'Read the briefing' }).first().click();
        await page.getByRole('heading', { name: 'How it stands' }).waitFor();
      },
      'jennifer',
    );
    await shoot(
      'commander',
      async (page) => {
        await page.goto(`${house.url}/incidents/1`);
        await page.getByText('Still you, do not leave.').waitFor();
      },
      'sabrina',
    );
    await marks();
    await evidence(house, shoot);
    house.run('team', 'set', 'search-sre', 'brown', 'marty');
    house.run('service', 'set', 'search', '--owner', 'search-sre', '--depends-on', 'index');
    // What its gate would have stopped, twice.
    for (const what of ['deploy v13', 'flush the cache'])
      house.say(marty, 'gate', '--service', 'search', '--action', what);
    for (const part of ['people', 'teams', 'services', 'tokens', 'settings', 'audit']) {
      await shoot(
        `admin-${part}`,
        async (page) => {
          await page.goto(`${house.url}/admin/${part}`);
          await page.getByRole('heading', { level: 1 }).or(page.locator('main h2')).first().waitFor();
          await page.getByText('Looking…').waitFor({ state: 'detached' });
        },
        'sabrina',
      );
    }
    await refusedToken(house, shoot);
    await shoot(
      'admin-person',
      async (page) => {
        await page.goto(`${house.url}/admin/people`);
        await page.getByRole('button', { name: 'Open Marty' }).click();
        await page.getByRole('button', { name: 'Make a sign-in link' }).click();
        await page.getByText('it is shown once').waitFor();
      },
      'sabrina',
    );
    await shoot(
      'admin-gate',
      async (page) => {
        await page.goto(`${house.url}/admin/services`);
        await page.getByRole('button', { name: 'Open search' }).click();
        await page.getByRole('checkbox', { name: /^SEV 1/ }).check();
        await page.getByRole('button', { name: 'Set the gate' }).click();
        await page.getByText('From now on').scrollIntoViewIfNeeded();
      },
      'sabrina',
    );
    await shoot(
      'tokens',
      async (page) => {
        await page.getByRole('button', { name: 'You: Sabrina' }).click();
        await page.getByText('Your tokens').click();
        await page.getByRole('button', { name: 'Make a token' }).waitFor();
        await page.getByText('reads, and nothing else').first().waitFor({ state: 'attached' });
      },
      'sabrina',
    );
    await shoot(
      'reached',
      async (page) => {
        await page.getByRole('button', { name: 'You: Marty' }).click();
        await page.getByText('How you are reached').click();
        await page.getByLabel('Pager').check();
        await page.getByLabel('Quiet hours').check();
        await page.getByRole('button', { name: 'Keep it' }).scrollIntoViewIfNeeded();
      },
      'marty',
    );
    await shoot(
      'passkeys',
      async (page) => {
        await page.getByRole('button', { name: 'You: Marty' }).click();
        await page.getByRole('button', { name: 'Your passkeys' }).click();
        await page.getByRole('dialog', { name: 'Your passkeys' }).waitFor();
      },
      'marty',
    );
    await panels();
    // Last: the server goes.
    await shoot(
      'no-connection',
      async (page) => {
        await page.goto(`${house.url}/incidents/1`);
        await saved(page);
        await house.kill();
        await noConnection(page).waitFor();
        await page.locator('.document h2').getByText('not connected').waitFor();
      },
      'brown',
    );
    console.log(`Pictures are in ${folder}`);
  } finally {
    await house.close();
  }
}, 900_000);
