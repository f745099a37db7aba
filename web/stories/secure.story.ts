// The same page where the server speaks TLS itself: HTTP/2, a cookie that leaves by no other way, and live all the same.
import { afterEach, expect, test } from 'vitest';
import { House } from './house';
import { into, noConnection, reads, saved } from './written';

let house: House;
afterEach(async () => await house.close());

test('two people meet over https', async () => {
  house = new House('sqlite');
  house.person('sabrina', 'Sabrina', '--admin');
  house.person('jennifer', 'Jennifer');
  await house.serve(house.certificate());
  expect(house.url).toMatch(/^https:/);
  const sabrina = await house.enter('sabrina');
  const jennifer = await house.enter('jennifer');
  const protocol = await sabrina.evaluate(
    () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol,
  );
  expect(protocol).toBe('h2');
  const cookies = await sabrina.context().cookies();
  expect(cookies.map(({ name, secure, httpOnly }) => ({ name, secure, httpOnly }))).toEqual([
    { name: '__Host-wardroom', secure: true, httpOnly: true },
  ]);
  await sabrina.keyboard.press('d');
  await sabrina.getByLabel('What is wrong?').fill('Search is failing for everyone');
  await sabrina.keyboard.press('Enter');
  await sabrina.waitForURL(/\/incidents\/1$/);
  // Nobody loads anything anew: it comes by the stream.
  await jennifer.getByRole('link', { name: /Search is failing for everyone/ }).click();
  await jennifer.getByText('Incident commander Sabrina').first().waitFor();
  await sabrina.getByPlaceholder('What did you see or do?').fill('The canary is healthy again');
  await sabrina.keyboard.press('Enter');
  await jennifer.getByText('The canary is healthy again').first().waitFor();
});

test('two write one document over https, through a restart, and nothing is lost', async () => {
  house = new House('sqlite');
  const certificate = house.certificate();
  house.person('sabrina', 'Sabrina', '--admin');
  house.person('marty', 'Marty');
  await house.serve(certificate);
  const pages = [await house.enter('sabrina'), await house.enter('marty')] as const;
  const [sabrina, marty] = pages;
  await sabrina.keyboard.press('d');
  await sabrina.getByLabel('What is wrong?').fill('Search is failing for everyone');
  await sabrina.keyboard.press('Enter');
  await marty.getByRole('link', { name: /Search is failing for everyone/ }).click();
  await marty.locator('#people').getByRole('button', { name: "I'm here" }).click();
  for (const page of pages) await saved(page);
  await into(sabrina);
  await sabrina.keyboard.type('The cache is cold. ');
  await reads(marty).toBe('The cache is cold. ');
  await into(marty);
  await marty.keyboard.type('Warming it. ');
  await reads(sabrina).toBe('The cache is cold. Warming it. ');
  await house.kill();
  await noConnection(marty).waitFor();
  await marty.keyboard.type('Written alone.');
  await house.serve(certificate);
  for (const page of pages) {
    await reads(page).toBe('The cache is cold. Warming it. Written alone.');
    await saved(page);
  }
});
