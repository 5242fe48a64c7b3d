// Preloaded into every process of the app: notes the files that it loads, and their sizes, in $BENCH_LOADED/<pid>.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';

const folder = process.env.BENCH_LOADED;
registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (
      folder !== undefined &&
      url.startsWith('file:') &&
      typeof loaded.source !== 'undefined' &&
      loaded.source !== null
    )
      appendFileSync(join(folder, String(process.pid)), `${Date.now()} ${Buffer.byteLength(loaded.source)} ${url}\n`);
    return loaded;
  },
});
