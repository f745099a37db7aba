// Keeps the files of the page that this worker was built with, and opens the page from them when the server is out of
// reach. Files are those of one build, whole or not at all: a page never meets pieces of another.
import { parse } from '../route';
import { type Fetching, on, worker } from './scope';

/** What Vite built, named by the build: see vite.worker.config.ts. */
declare const BUILT: {
  /** Of everything that was built: another page has another. */
  version: string;
  /** The SHA-256 of index.html, in hexadecimal digits. */
  index: string;
  /** All other files, by their addresses. */
  files: string[];
};

const { version, index, files } = BUILT;
const PREFIX = 'wardroom.page.';
const KEEP = PREFIX + version;
/** So long the network may take to bring the page, in milliseconds. */
const PATIENCE = 3_000;
const INDEX = '/';

async function hex(answer: Response): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await answer.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A file of this build. What names its content need not come over the network twice. */
async function brought(path: string): Promise<Response> {
  const had = path.startsWith('/assets/') ? await caches.match(path) : undefined;
  const answer = had ?? (await fetch(path, { cache: 'no-cache' }));
  if (!answer.ok) throw new Error(`${path} is not there`);
  // The server may have been renewed since it handed out this worker, or be one of two that are not of one version.
  if (path === INDEX && (await hex(answer.clone())) !== index) throw new Error('another build');
  return answer;
}

/** Keeps everything, or nothing: no room, or another build, and it is tried again when a page is opened next. */
async function keep(): Promise<void> {
  if (await kept(INDEX)) return;
  try {
    const page = await brought(INDEX);
    const whole = await caches.open(KEEP);
    // Each is written as it comes: answers that wait to be read hold their connections, of which a browser has six.
    await Promise.all(files.map(async (path) => whole.put(path, await brought(path))));
    // The page itself comes last: where it is, everything is.
    await whole.put(INDEX, page);
    await tidy();
  } catch {
    await caches.delete(KEEP);
  }
}

/** Windows that are open may be of the build before: its files stay until the next one. Older ones go. */
async function tidy(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== KEEP);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}

async function kept(path: string): Promise<Response | undefined> {
  if (!(await caches.has(KEEP))) return undefined;
  return await (await caches.open(KEEP)).match(path, { ignoreVary: true });
}

/**
 * The page itself: from the network, so that a renewed one arrives; from what is kept when that fails or takes its time.
 * A proxy that answers for a server that is gone (502 to 504) is no page.
 */
async function opened(request: Request): Promise<Response> {
  const network = fetch(request);
  const good = network.then((answer) => (answer.status < 500 ? answer : null));
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE));
  const first = await Promise.race([good, late]).catch(() => null);
  return first ?? (await kept(INDEX)) ?? (await network);
}

/** A file: by its content, from whichever build it is in; else from the network, and from what is kept without one. */
async function file(request: Request, path: string): Promise<Response> {
  if (path.startsWith('/assets/'))
    return (await caches.match(request, { ignoreVary: true })) ?? (await fetch(request));
  return await fetch(request).catch(async (gone: unknown) => {
    const found = await kept(path);
    if (found) return found;
    throw gone;
  });
}

// Nothing but the page and its files: what is asked of the API goes its way as if this worker were not there.
addEventListener('fetch', (event) => {
  const { request } = event as Fetching;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate') {
    // A document to print, a picture or a figure of the server's is no place of the page, although one goes there.
    if (parse(pathname).page === 'nowhere') return;
    (event as Fetching).respondWith(opened(request));
    (event as Fetching).waitUntil(keep());
  } else if (pathname.startsWith('/assets/') || files.includes(pathname)) {
    (event as Fetching).respondWith(file(request, pathname));
  }
});

on('install', async () => {
  await keep();
  await worker.skipWaiting();
});
on('activate', () => worker.clients.claim());
