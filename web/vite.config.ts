import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// `npm run dev` shows the page of a server that runs beside it; WARDROOM_URL says where.
const server = process.env.WARDROOM_URL ?? 'http://127.0.0.1:8080';
const token = process.env.WARDROOM_TOKEN;

export default defineConfig({
  plugins: [svelte()],
  // No inline script and no eval: the page's policy forbids them.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What the shell shares with parts that come later is one piece: each further one is a request, and compresses worse.
    rolldownOptions: {
      output: {
        // The shell names every piece that comes later, and a hash does not compress: six of its signs do.
        entryFileNames: 'assets/[name]-[hash:6].js',
        chunkFileNames: 'assets/[name]-[hash:6].js',
        assetFileNames: 'assets/[name]-[hash:6][extname]',
        codeSplitting: {
          groups: [
            {
              name: 'shared',
              test: /preload-helper|src\/(api|route|parts\/(Notice|Name|ages)|live|shell\/Later)/,
            },
          ],
        },
      },
    },
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      '/api': { target: server, ...(token && { headers: { authorization: `Bearer ${token}` } }) },
    },
  },
});
