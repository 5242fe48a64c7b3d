import { join } from 'node:path';
import type { OutputOptions, RolldownOptions } from 'rolldown';

type Bundle = Omit<RolldownOptions, 'output'> & { readonly output: OutputOptions & { readonly dir: string } };

/**
 * The bundles: the function app (its registrations in one small file, each SDK in a chunk that loads when it is first
 * needed), the relay (one file, since it travels in a ConfigMap) and the command line (chunks again: `--help` loads no
 * SDK). `@azure/functions-core` is what the Functions worker itself provides. Names hold no path of the machine, so that
 * the same sources give the same bytes anywhere; source maps are written, and no bundle refers to its own.
 */
const common: Pick<RolldownOptions, 'platform' | 'external' | 'resolve'> = {
  platform: 'node',
  // Modules are ordered by their paths; those of packages are below the sources even where node_modules is a link.
  resolve: { symlinks: false },
  external: ['@azure/functions-core'],
};

const written: OutputOptions = { format: 'esm', sourcemap: 'hidden', minify: true };

const app: Bundle = {
  ...common,
  input: { index: 'functions/index.ts' },
  output: { ...written, dir: 'dist/app', chunkFileNames: 'chunks/[name]-[hash].js' },
};

const relay: Bundle = {
  ...common,
  input: { relay: 'infra/cluster/relay/main.ts' },
  output: { ...written, dir: 'dist/relay', entryFileNames: '[name].mjs', codeSplitting: false },
};

/** Runs on the operator's machine, on Node 20.12 or newer: no API newer than that (test/infra/package/oldest-node.test.ts). */
const cli: Bundle = {
  ...common,
  input: { main: 'infra/cli/main.ts' },
  resolve: { ...common.resolve, alias: { undici: join(import.meta.dirname, 'infra/cli/cluster/no-undici.ts') } },
  transform: { target: 'node20' },
  output: {
    ...written,
    dir: 'dist/cli',
    chunkFileNames: 'chunks/[name]-[hash].js',
  },
};

const bundles: readonly Bundle[] = [app, relay, cli];

export default bundles;
