// A renewed page, beside a worker and windows of the build before.
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { House } from './house';
import { isKept, keeps } from './keeps';

let house: House;
let proxy: http.Server | undefined;
afterEach(async () => {
  proxy?.closeAllConnections();
  proxy?.close();
  proxy = undefined;
  await house.close();
});

/** A file as a server sends it, whatever stands before it. */
const text = async (path: string): Promise<string> => await (await fetch(new URL(path, house.url))).text();

const sha256 = (words: string): string => createHash('sha256').update(words).digest('hex');

/** Puts a proxy before the server that hands out another build of the page each time it is told to: every file under
 * another name, and those of the build before are gone. */
async function renewable(): Promise<{ renew: () => void }> {
  const { hostname, port } = new URL(house.url);
  const [index, worker] = [await text('/'), await text('/worker.js')];
  const names = [
    ...new Set([...worker.matchAll(/\/assets\/([\w.-]+)\.(?:js|css)/g)].map((found) => found[1]!)),
  ];
  let build = 0;
  const now = (words: string): string =>
    build === 0 ? words : names.reduce((all, name) => all.replaceAll(name, `${name}.build${build}`), words);
  const page = (): string => now(index).replace('<body>', `<body data-build="${build}">`);
  const changed: Record<string, () => string> = {
    'text/html; charset=utf-8': page,
    '/worker.js': () =>
      now(worker)
        .replace(sha256(index), sha256(page()))
        .replace(/(version:\W)\w{16}/, `$1${build}`),
  };
  proxy = http.createServer((asked, answer) => {
    const [, path = '', of = '0'] = /^(.*?)(?:\.build(\d+))?(?=\.\w+$|$)/.exec(asked.url!)!;
    const plain = asked.url!.startsWith('/assets/')
      ? path + (/\.\w+$/.exec(asked.url!)?.[0] ?? '')
      : asked.url;
    const there = !asked.url!.startsWith('/assets/') || Number(of) === build;
    const headers = { ...asked.headers, 'accept-encoding': 'identity' } as http.OutgoingHttpHeaders;
    delete headers['if-none-match'];
    const wanted = { hostname, port, path: there ? plain : '/assets/gone.js', method: asked.method, headers };
    const passed = http.request(wanted, (found) => {
      const kind = found.headers['content-type'] ?? '';
      const { 'content-length': _, etag: __, ...rest } = found.headers;
      const words = changed[asked.url!] ?? changed[kind];
      if (!words && !kind.startsWith('text/javascript')) {
        answer.writeHead(found.statusCode!, found.headers);
        return void found.pipe(answer);
      }
      const pieces: Buffer[] = [];
      found.on('data', (piece: Buffer) => pieces.push(piece));
      found.on('end', () =>
        answer
          .writeHead(found.statusCode!, rest)
          .end(words ? words() : now(Buffer.concat(pieces).toString())),
      );
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy!.listen(0, '127.0.0.1', resolve));
  house.url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return { renew: () => (build += 1) };
}

test('a renewed page arrives, and whatever is kept opens whole; builds that nobody needs go', async () => {
  house = new House('sqlite');
  house.person('sabrina', 'Sabrina');
  await house.serve();
  const { renew } = await renewable();
  const page = await house.enter('sabrina');
  await isKept(page);
  const build = () => page.evaluate(() => document.body.dataset['build']);
  const opens = async (which: string): Promise<void> => {
    await page.reload();
    await page.getByRole('heading', { name: 'Board' }).waitFor();
    expect(await build()).toBe(which);
  };
  const first = await keeps(page);
  renew();
  // The worker is of the build before, and does not stand in the way.
  await opens('1');
  await isKept(page, 2);
  renew();
  await opens('2');
  await expect.poll(async () => (await keeps(page)).includes(first[0]!)).toBe(false);
  await isKept(page, 2);
  // Nothing that the server says of incidents is among it.
  const addresses = await page.evaluate(async () => {
    const all: string[] = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) all.push(new URL(url).pathname);
    return all;
  });
  expect(addresses.filter((path) => path.startsWith('/api'))).toEqual([]);
  expect(addresses).toContain('/page.webmanifest');
});
