import * as z from 'zod';
import { defined } from '../core/defined.ts';
import type { ImageOverride } from '../core/image/image-override.ts';
import { registryHost } from '../core/image/registry-endpoint.ts';
import type { MappedEndpoints } from '../core/image/registry-endpoint.ts';
import { credentialLocation } from '../core/pod/image-reference.ts';
import { imageNameFault } from '../core/pod/image-name.ts';
import { jsonSetting } from './json-setting.ts';
import { parseUrl } from './url-text.ts';

const endpointsShape =
  'HOST=ORIGIN, separated by commas, such as "quay.io=https://mirror.example,registry.internal:5000=http://10.0.0.7:5000"';

function endpointOf(part: string): readonly [string, string] | undefined {
  const [host = '', origin = '', ...more] = part.trim().split('=');
  const url = parseUrl(origin);
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
  const isHost = /^[a-z0-9.-]+(:\d{1,5})?$/.test(host) || /^\[[a-f0-9:]+\](:\d{1,5})?$/.test(host);
  if (more.length > 0 || !isHost || !isOrigin) return undefined;
  return [registryHost(credentialLocation(host).host), url.origin];
}

/** Where registries are asked in place of their own hosts; all names of Docker Hub are one host. */
export const registryEndpoints = z
  .string()
  .transform((text, context): MappedEndpoints => {
    const entries = text.split(',').map(endpointOf);
    const good = entries.filter((entry) => entry !== undefined);
    if (good.length === entries.length && new Set(good.map(([host]) => host)).size === good.length)
      return Object.fromEntries(good);
    context.addIssue({ code: 'custom', message: endpointsShape });
    return z.NEVER;
  })
  .default({});

const word = z.string('a text').max(32_768, 'a shorter text');
const words = z.array(word, 'a list of texts').max(1_000, 'at most 1000 words');

const override = z
  .strictObject({
    entrypoint: words.default([]),
    cmd: words.default([]),
    user: word.default(''),
    workingDir: word.default(''),
    env: z.record(z.string(), word, 'names and their values').default({}),
    stopSignal: word.optional(),
  })
  .transform(({ stopSignal, ...rest }): ImageOverride => ({ ...rest, ...defined({ stopSignal }) }));

/** What an operator says of images that the app can't ask a registry for. */
export const imageConfigs = jsonSetting(
  z
    .record(z.string(), override, 'a JSON object of images and what they are')
    .refine(
      (images) => Object.keys(images).every((image) => imageNameFault(image) === undefined),
      'names of images only',
    ),
).default({});
