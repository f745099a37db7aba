import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const DIST = join(import.meta.dirname, 'dist');
const WORKER = 'worker.js';
const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** What the build of the page left: the worker keeps exactly that, and differs whenever any of it does. */
function built(): { version: string; index: string; files: string[] } {
  const all = readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(DIST.length).replaceAll('\\', '/'))
    .filter((path) => path !== `/${WORKER}`)
    .sort();
  const digests = all.map((path): [string, string] => [path, sha256(readFileSync(join(DIST, path)))]);
  const index = new Map(digests).get('/index.html');
  if (index === undefined) throw new Error('build the page first: the worker keeps its files');
  const files = all.filter((path) => path !== '/index.html');
  return { version: sha256(JSON.stringify(digests)).slice(0, 16), index, files };
}

// The service worker, in one file at the root: from there it may be that of every page. It is a plain script, because
// not every browser takes a module for it.
export default defineConfig({
  define: { BUILT: JSON.stringify(built()) },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    copyPublicDir: false,
    lib: { entry: 'src/worker/worker.ts', formats: ['iife'], name: 'worker', fileName: () => WORKER },
  },
});
