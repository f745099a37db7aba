// The sheet: the whole state document as a page of its own, opened from the incident, to be printed or kept.
import { afterEach, expect, test } from 'vitest';
import { faults } from './accessibility';
import { House, PHONE } from './house';

let house: House;
afterEach(async () => await house.close());

test('the document opens as a page that loads nothing, fits a phone and prints on paper', async () => {
  house = new House('sqlite');
  const sabrina = house.person('sabrina', 'Sabrina');
  await house.serve();
  house.say(sabrina, 'declare', 'Search is <b>failing</b> for everyone');
  house.say(sabrina, 'criterion', '1', 'add', 'Errors are gone');
  const page = await house.enter('sabrina');
  await page.goto(`${house.url}/incidents/1`);
  await page.locator('.document h2').getByText('saved').waitFor();
  await page.getByRole('textbox', { name: 'Summary' }).focus();
  await page.keyboard.insertText(
    '# Now\n**Half** of all, see [the board](https://example.org/board)\n\n<script>document.title = "no"</script>\n\n![x](https://example.org/x.png)',
  );
  await page
    .locator('.document .state')
    .getByText(/saved$/)
    .last()
    .waitFor();
  const opened = page.waitForEvent('popup');
  await page.getByRole('link', { name: 'print or save' }).click();
  const sheet = await opened;
  const asked: string[] = [];
  const said: string[] = [];
  sheet.on('request', (request) => asked.push(request.url()));
  sheet.on('console', (message) => said.push(message.text()));
  await sheet.reload();
  await sheet.getByRole('heading', { level: 1, name: '#1 Search is <b>failing</b> for everyone' }).waitFor();
  expect(await sheet.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual([
    'Summary',
    'Command posts',
    'Command hierarchy',
    'Next incident commander',
    'Detailed status',
    'Differs from normal',
    'Exit criteria',
    'To-do list and bugs filed',
    'Working notes',
    'Timeline',
  ]);
  expect(await sheet.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual(['Now']);
  expect(await sheet.locator('.age').first().innerText()).toMatch(/^Last updated at .* UTC by Sabrina, /);
  expect(await sheet.locator('strong', { hasText: 'Half' }).count()).toBe(1);
  expect(await sheet.locator('script, img, iframe').count()).toBe(0);
  expect(await sheet.title()).toBe('#1 Search is <b>failing</b> for everyone');
  // Its style is there, although its policy lets none in but this one.
  const width = () => sheet.evaluate(() => document.documentElement.scrollWidth);
  expect(await sheet.evaluate(() => getComputedStyle(document.querySelector('h1')!).fontSize)).toBe('25.6px');
  expect([asked, said.filter((words) => words.includes('Content Security Policy'))]).toEqual([
    [sheet.url()],
    [],
  ]);
  expect(await faults(sheet)).toEqual([]);
  await sheet.setViewportSize(PHONE);
  expect(await width()).toBeLessThanOrEqual(PHONE.width);
  await sheet.setViewportSize({ width: 320, height: 640 });
  expect(await width()).toBeLessThanOrEqual(320);
  await sheet.emulateMedia({ colorScheme: 'dark' });
  expect(await faults(sheet)).toEqual([]);
  // On paper it is black on white, and says where its links lead.
  await sheet.emulateMedia({ media: 'print', colorScheme: 'dark' });
  const colours = await sheet.evaluate(() => {
    const { color, backgroundColor } = getComputedStyle(document.body);
    return [color, backgroundColor];
  });
  expect(colours).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
  const after = await sheet
    .getByRole('link', { name: 'the board' })
    .evaluate((link) => getComputedStyle(link, '::after').content);
  expect(after).toContain('(');
  const paper = await sheet.pdf({ format: 'A4' });
  expect(paper.subarray(0, 5).toString()).toBe('%PDF-');
});
