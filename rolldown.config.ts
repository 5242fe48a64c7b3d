import type { OutputOptions, RolldownOptions } from 'rolldown';

/**
 * Two bundles: the function app (its registrations in one small file, each SDK in a chunk that loads when it is first
 * needed) and the relay (one file). `@azure/functions-core` is what the Functions worker itself provides.
 */
const common: Pick<RolldownOptions, 'platform' | 'external'> = {
  platform: 'node',
  external: ['@azure/functions-core'],
};

const bundles: readonly (Omit<RolldownOptions, 'output'> & {
  readonly output: OutputOptions & { readonly dir: string };
})[] = [
  {
    ...common,
    input: { index: 'functions/index.ts' },
    output: {
      dir: 'dist/app',
      format: 'esm',
      sourcemap: true,
      minify: true,
      cleanDir: true,
      chunkFileNames: 'chunks/[name]-[hash].js',
    },
  },
  {
    ...common,
    input: { main: 'infra/cluster/relay/main.ts' },
    output: { dir: 'dist/relay', format: 'esm', sourcemap: true, minify: true, cleanDir: true, codeSplitting: false },
  },
];

export default bundles;
