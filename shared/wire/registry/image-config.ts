import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import type { ImageConfig } from '../../core/image/image-config.ts';
import { noMatchingPlatform, runsOnAci } from '../../core/image/platform.ts';
import { parseJson } from '../json-text.ts';

/** Linux takes no longer word in a command line or environment. */
const longestWord = 131_072;
const mostWords = 5_000;
/** A row of the cache holds it. */
const longestConfig = 262_144;

const words = z
  .array(z.string().max(longestWord))
  .max(mostWords)
  .nullish()
  .transform((value) => value ?? []);
const text = z
  .string()
  .max(4_096)
  .nullish()
  .transform((value) => value ?? '');

const run = z.object({
  Entrypoint: words,
  Cmd: words,
  Env: words,
  WorkingDir: text,
  User: text,
  StopSignal: text,
});

const schema = z.object({
  os: z.string().max(64),
  architecture: z.string().max(64),
  config: run.nullish().transform((value) => value ?? run.parse({})),
});

/** `NAME=value`; the last of one name counts, a text without `=` is no variable. */
const environment = (pairs: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    pairs.flatMap((pair) => {
      const end = pair.indexOf('=');
      return end > 0 ? [[pair.slice(0, end), pair.slice(end + 1)]] : [];
    }),
  );

/** The image's configuration (OCI image specification; Docker's has the same members). One of another platform is none. */
export function parseImageConfig(json: string): Result<Omit<ImageConfig, 'digest'>> {
  const parsed = schema.safeParse(parseJson(json));
  if (!parsed.success) return fail({ kind: 'transient', message: "the image's config is not valid" });
  const { config, ...platform } = parsed.data;
  if (!runsOnAci(platform)) return noMatchingPlatform([`${platform.os}/${platform.architecture}`]);
  const found = {
    entrypoint: config.Entrypoint,
    cmd: config.Cmd,
    env: environment(config.Env),
    workingDir: config.WorkingDir,
    user: config.User,
    ...defined({ stopSignal: config.StopSignal || undefined }),
  };
  return JSON.stringify(found).length > longestConfig
    ? fail({ kind: 'rejected', code: 'TooLarge', message: "the image's command and environment are too long" })
    : ok(found);
}
