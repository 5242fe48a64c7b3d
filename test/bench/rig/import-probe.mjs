// One fresh process: loads the bundle named in its first argument as the Functions worker does, and says in how many
// milliseconds its functions were registered. With `--bytes` it says instead what files were loaded.
import Module, { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const [file, mode] = process.argv.slice(2);
const registered = [];
const api = {
  version: '4.0.0',
  hostVersion: '4.1037.0',
  setProgrammingModel: () => undefined,
  registerFunction: (metadata) => {
    registered.push(metadata.name);
    return { dispose: () => undefined };
  },
  registerHook: () => ({ dispose: () => undefined }),
  log: () => undefined,
  Disposable: Object,
};
const original = Module.prototype.require;
Module.prototype.require = function requireWithCore(id) {
  return id === '@azure/functions-core' ? api : original.call(this, id);
};

const files = {};
if (mode === '--bytes')
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context);
      if (url.startsWith('file:') && typeof loaded.source !== 'undefined' && loaded.source !== null)
        files[url] = Buffer.byteLength(loaded.source);
      return loaded;
    },
  });
const url = pathToFileURL(file).href;
const usedBefore = process.cpuUsage();
const startedMs = performance.now();
await import(url);
const tookMs = performance.now() - startedMs;
const used = process.cpuUsage(usedBefore);
process.stdout.write(
  `${JSON.stringify({ tookMs, processorMs: (used.user + used.system) / 1000, registered, files })}\n`,
);
