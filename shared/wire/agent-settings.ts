import * as z from 'zod';
import { agentModes } from '../core/agent/agent-facts.ts';
import { defaultDownloadImage } from '../core/agent/download.ts';
import { rootBytes } from '../core/agent/key.ts';
import type { RootKeys } from '../core/agent/key.ts';
import { agentSilences } from '../core/agent/reports/silence.ts';
import { imageNameFault } from '../core/pod/image-name.ts';
import { jsonSetting } from './json-setting.ts';
import { parseUrl } from './url-text.ts';

const isPinned = (image: string): boolean =>
  imageNameFault(image) === undefined && /^[^@]+@sha256:[0-9a-f]{64}$/.test(image);

const pinnedShape = 'an image by its digest: REGISTRY/REPOSITORY@sha256:…';
const pinnedImage = z.string(pinnedShape).refine(isPinned, pinnedShape);

const privateAddress = /^(?=\d+\.\d+\.\d+\.\d+$)(10|127|192\.168|172\.(1[6-9]|2\d|3[01]))\./;

function isAppUrl(text: string): boolean {
  const url = parseUrl(text);
  if (url === undefined || url.search !== '' || url.hash !== '' || url.username !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && privateAddress.test(url.hostname));
}

/** Where groups reach the app. */
export const appUrl = z.string().refine(isAppUrl, 'an https:// URL; http:// to a private address only');

export const agentMode = z.enum(agentModes, '"auto", "always" or "never"').default('auto');

/** Where the agent's image is. */
export const agentImage = pinnedImage;

/** When a group may fetch the agent from the app, where there is no image of it. */
export const agentDownload = z
  .enum(['auto', 'always', 'never'], '"auto" (not in a subnet), "always" or "never"')
  .default('auto');

/** The image whose shell fetches it. */
export const agentDownloadImage = pinnedImage.default(defaultDownloadImage);

const kid = /^[a-z0-9][a-z0-9-]{0,31}$/;
const rootShape = `base64 of ${rootBytes} bytes, which "agent rotate-key" makes`;
const root = z
  .string(rootShape)
  .refine((text) => Buffer.from(text, 'base64').length === rootBytes, rootShape)
  .transform((text): Uint8Array => Buffer.from(text, 'base64'));

const rootKeys = z
  .strictObject({
    current: z.string('the name of one of the roots').regex(kid, 'the name of one of the roots'),
    roots: z
      .record(z.string(), root, 'names of roots and the roots')
      .refine((roots) => Object.keys(roots).every((name) => kid.test(name)), 'names of at most 32 of a–z, 0–9 and "-"'),
  })
  .refine(({ current, roots }) => Object.hasOwn(roots, current), {
    path: ['current'],
    message: 'the name of one of the roots',
  });

/** How App Service spells a secret of a key vault; the app sees it so only where it could not be had. */
export const isVaultReference = (text: string): boolean => text.trimStart().startsWith('@Microsoft.KeyVault(');

/** The roots of agents' keys. What is not had from a key vault is as absent: the rest of the app does not need it. */
export const agentRootKeys = z
  .string()
  .transform((text) => (isVaultReference(text) ? undefined : text))
  .pipe(jsonSetting(rootKeys).optional())
  .optional();

/** The text that is read as these keys. */
export const formatRootKeys = ({ current, roots }: RootKeys): string =>
  JSON.stringify({
    current,
    roots: Object.fromEntries(
      Object.entries(roots).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    ),
  });

/** Undefined: they are no keys. */
export function parseRootKeys(text: string): RootKeys | undefined {
  const parsed = jsonSetting(rootKeys).safeParse(text);
  return parsed.success ? parsed.data : undefined;
}

/** What a pod's container counts as whose agent nobody hears. */
export const agentSilence = z.enum(agentSilences, '"unready" or "ready"').default('unready');
