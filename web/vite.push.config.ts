import { defineConfig } from 'vite';

// The service worker, in one file at the root: from there it may be that of every page. It is a plain script, because
// not every browser takes a module for it.
export default defineConfig({
  build: {
    target: 'es2022',
    emptyOutDir: false,
    copyPublicDir: false,
    lib: { entry: 'src/push/worker.ts', formats: ['iife'], name: 'push', fileName: () => 'push.js' },
  },
});
