/** @file Four groups of tests, told apart by their file names; only the integration tests start a server. */
import { defineConfig } from 'vitest/config';

const golden = ['test/**/*.golden.test.ts', 'test/**/golden.test.ts'];
const replay = 'test/replay/**/*.test.ts';
const integration = ['test/**/*.integration.test.ts', 'test/integration/**/*.test.ts', 'test/durability/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    // Of a machine that is busy with other work; whatever hangs is found all the same.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...golden, replay, ...integration] } },
      { extends: true, test: { name: 'golden', include: golden } },
      { extends: true, test: { name: 'replay', include: [replay] } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: integration,
          globalSetup: ['test/support/server.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
