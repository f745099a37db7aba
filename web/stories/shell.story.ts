// What comes before the first paint is small: the least that a phone on a bad line has to wait for.
import { get } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { House } from './house';

/** The bound of the page's shell, compressed, in bytes. */
const SHELL_MAX = 40 * 1024;

let house: House;
afterEach(async () => await house.close());

/** An address as a browser gets it, compressed. */
function sent(path: string): Promise<{ text: string; bytes: number }> {
  return new Promise((resolve, reject) => {
    const address = new URL(path, house.url);
    get(address, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => {
        const all = Buffer.concat(pieces);
        expect([answer.statusCode, path]).toEqual([200, path]);
        resolve({ text: all.toString(), bytes: all.length });
      });
    }).on('error', reject);
  });
}

test('the shell is at most 40 KiB, as it is sent', async () => {
  house = new House('sqlite');
  await house.serve();
  const index = await (await fetch(house.url)).text();
  const needed = [...index.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((found) => found[1]!);
  expect(needed.length).toBeGreaterThanOrEqual(3);
  let total = (await sent('/')).bytes;
  for (const path of needed) {
    const { bytes } = await sent(path);
    // It is sent compressed, or this would measure nothing; of what is tiny nothing would be saved.
    const plain = (await (await fetch(new URL(path, house.url))).arrayBuffer()).byteLength;
    expect(bytes).toBeLessThan(plain > 1_024 ? plain : plain + 1);
    total += bytes;
  }
  expect(total).toBeLessThanOrEqual(SHELL_MAX);
});
