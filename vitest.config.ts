import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ByName } from './test/by-name.ts';

/** What contract tests leave of a processor while they wait for sockets and clocks; rings that bring up clusters do not. */
const spareWorkers = process.argv.includes('contract') ? 2 : 0;

/**
 * Six rings: `unit` (pure, no I/O), `contract` (real Azurite, real sockets), `cluster` (parts of it against the real
 * control plane or real Podman), `cli` (the command line, on real clusters and the packaged app), `real-host` (the cloud
 * on a Functions host that FUNCTIONS_HOST names, else nothing) and `cloud` (everything, one shared laptop cloud).
 */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    // Not one less, as is the default: on two cores that would be one.
    maxWorkers: availableParallelism() + spareWorkers,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/e2e/**', '**/node_modules/**'],
          // Pure files can share a worker and the modules it has read: half the time of a worker for each.
          isolate: false,
          // Properties take a second; a busy machine must not make them fail.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/contract/azurite.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/cli/**', 'test/e2e/cloud/**', 'test/e2e/real-host/**'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
      {
        test: {
          name: 'cli',
          include: ['test/e2e/cli/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
      {
        test: {
          name: 'real-host',
          include: ['test/e2e/real-host/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
      {
        test: {
          name: 'cloud',
          include: ['test/e2e/cloud/**/*.test.ts'],
          globalSetup: ['test/e2e/cloud/cloud.setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
    ],
  },
});
