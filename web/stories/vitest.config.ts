// The page's stories: real Chromium, real server. `make test` runs them; see house.ts.
import { defineConfig } from 'vitest/config';
import { PATIENCE } from './patience';

const chosen = process.env.PICTURES ? 'pictures' : process.env.MEASURE ? 'paint' : '*.story';

export default defineConfig({
  test: {
    include: [`stories/${chosen}.ts`],
    // Stories wait for conditions; these are only for a machine that hangs.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Without one of its own, a look that is repeated gave up after a second.
    expect: { poll: PATIENCE },
    // Each story has a house and a browser of its own. Of two cores a fifth was idle while two ran, and nothing while three did.
    maxWorkers: 3,
    globals: false,
  },
});
