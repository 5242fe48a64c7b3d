import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Module from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { WorkerApp } from './core-api.ts';

const CORE_MODULE = '@azure/functions-core';
const PackageJson = z.object({ main: z.string().optional(), type: z.string().optional() });

/**
 * Answers `require('@azure/functions-core')` with `api` for every file of the process. Must run before any file of the
 * app: the library asks once and remembers a miss for ever.
 */
export function installCoreModule(api: object): void {
  const original: (this: Module, id: string) => unknown = Reflect.get(Module.prototype, 'require');
  Module.prototype.require = function requireWithCore(this: Module, id: string): unknown {
    return id === CORE_MODULE ? api : original.call(this, id);
  };
}

function readPackage(appRoot: string): z.infer<typeof PackageJson> {
  try {
    return PackageJson.parse(JSON.parse(readFileSync(path.join(appRoot, 'package.json'), 'utf8')));
  } catch {
    return {};
  }
}

/** The entry files in load order: the given one, or `package.json#main` as a glob relative to the app's root. */
export function entryFiles(appRoot: string, entry: string | undefined): string[] {
  if (entry !== undefined) return [path.resolve(appRoot, entry)];
  const { main } = readPackage(appRoot);
  if (main === undefined) return [];
  const found = globSync(main, { cwd: appRoot }).sort();
  if (found.length === 0) throw new Error(`Found zero files matching the supplied main entry point pattern "${main}"`);
  return found.map((file) => path.resolve(appRoot, file));
}

function isModule(file: string, packageType: string | undefined): boolean {
  const extension = path.extname(file);
  if (extension === '.mjs' || extension === '.mts' || extension === '.ts') return true;
  return packageType === 'module' && extension !== '.cjs';
}

/** Loads the entry files one after the other; a fault names its file. */
export async function loadApp(app: WorkerApp, appRoot: string, entry: string | undefined): Promise<void> {
  const files = entryFiles(appRoot, entry);
  if (files.length === 0)
    app.log('warning', 'system', 'No "main" in package.json and no entry file: the app has no functions.');
  const packageType = readPackage(appRoot).type;
  const requireFile = createRequire(path.join(appRoot, 'package.json'));
  for (const file of files) {
    app.currentFile = file;
    try {
      if (isModule(file, packageType)) await import(pathToFileURL(file).href);
      else requireFile(file);
    } catch (thrown) {
      const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      throw new Error(`Worker was unable to load entry point "${file}": ${reason}`, { cause: thrown });
    }
  }
  app.currentFile = '';
}
