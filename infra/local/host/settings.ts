import { readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

/** App settings: names and values, as `local.settings.json#Values`. */
export type Settings = Readonly<Record<string, string>>;

const SettingsFile = z.looseObject({
  IsEncrypted: z.literal(false).default(false),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
});

/** Reads the settings file. Throws a sentence when it is missing, no JSON, encrypted, or a value is not a plain one. */
export function readSettings(file: string): Settings {
  try {
    return SettingsFile.parse(JSON.parse(readFileSync(file, 'utf8'))).Values;
  } catch (thrown) {
    const reason =
      thrown instanceof z.ZodError
        ? z.prettifyError(thrown)
        : thrown instanceof Error
          ? thrown.message
          : String(thrown);
    throw new Error(`Settings file ${file} cannot be used: ${reason}`, { cause: thrown });
  }
}

/** Puts settings in for `%NAME%`; a missing setting throws, which keeps that one function from starting. */
export function resolveSettings(text: string, lookup: (name: string) => string | undefined): string {
  return text.replaceAll(/%([^%\s]+)%/g, (_match, name: string) => {
    const value = lookup(name);
    if (value === undefined)
      throw new Error(`'%${name}%' does not resolve to a value: the app setting "${name}" is missing.`);
    return value;
  });
}

/** Whether `AzureWebJobs.<name>.Disabled` (or `AzureWebJobs__<name>__Disabled`, for shells) is `true` or `1`. */
export function isDisabled(name: string, env: NodeJS.ProcessEnv): boolean {
  const wanted = new Set([
    `azurewebjobs.${name}.disabled`.toLowerCase(),
    `azurewebjobs__${name}__disabled`.toLowerCase(),
  ]);
  return Object.entries(env).some(([key, value]) => wanted.has(key.toLowerCase()) && /^(true|1)$/i.test(value ?? ''));
}

/** Whether two sets of settings are the same. */
export function sameSettings(left: Settings, right: Settings): boolean {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].every((name) => left[name] === right[name]);
}

/**
 * Calls `onChange` soon after the file has been written, replaced or removed. The folder is watched, so that a writer
 * who renames a new file into place is seen too. Returns the function that ends the watch.
 */
export function watchFile(file: string, onChange: () => void, settleMs = 100): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(path.dirname(file), { persistent: false }, (_event, name) => {
    if (name === null || name === path.basename(file)) {
      clearTimeout(timer);
      timer = setTimeout(onChange, settleMs);
    }
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
