import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { digestOf } from '../../../shared/core/image/stored-image.ts';
import type { Stored, StoredImage } from '../../../shared/core/image/stored-image.ts';
import { parseAgentPackage } from '../../../shared/wire/agent-package.ts';
import type { AgentPackage } from '../../../shared/wire/agent-package.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';
import { digest } from '../../../shared/wire/registry/digest.ts';
import { wrongInput } from '../stop.ts';

/** The agent as `npm run package` made it. */
export interface PackagedAgent extends Omit<AgentPackage, 'schemaVersion' | 'image'> {
  readonly tag: string;
  readonly image: StoredImage;
}

const descriptorSchema = z.object({ mediaType: z.string(), digest, size: z.int().min(0) });
const manifestSchema = z.object({
  mediaType: z.string(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).min(1).max(10),
});

/** The folder given, or the one that comes with the program; undefined: there is none. */
export function findAgentFolder(given: string | undefined, here: string = import.meta.dirname): string | undefined {
  const places =
    given === undefined
      ? ['../agent', '../../agent', '../../../dist/agent'].map((path) => resolve(here, path))
      : [resolve(given)];
  return places.find((place) => existsSync(join(place, 'agent.json')));
}

/** Reads the package and compares all of it with its digests. Throws a `Stop` where there is none, or it is not whole. */
export function readPackagedAgent(given: string | undefined, here?: string): PackagedAgent {
  const folder = findAgentFolder(given, here);
  if (folder === undefined)
    throw given === undefined
      ? wrongInput(
          'this package has no agent',
          'npm run package puts it into dist/agent where it can be made, or where AGENT_BINARY names one that was built elsewhere',
        )
      : wrongInput(`${given} holds no package of the agent`, 'give dist/agent, which npm run package makes');
  const described = parseAgentPackage(readFileSync(join(folder, 'agent.json'), 'utf8'));
  const image = described && readImage(join(folder, 'image', 'blobs'), described.image.digest);
  if (described === undefined || image === undefined)
    throw wrongInput(`${folder} is not whole, or of another version`, 'make it again: npm run package');
  const { version, sha256, bytes } = described;
  return { version, sha256, bytes, tag: described.image.tag, image };
}

function readImage(blobs: string, imageDigest: string): StoredImage | undefined {
  const manifest = readBlob(blobs, imageDigest);
  const parsed = manifestSchema.safeParse(parseJson(manifest?.toString('utf8') ?? ''));
  if (manifest === undefined || !parsed.success) return undefined;
  const { mediaType, config, layers } = parsed.data;
  const parts: Stored[] = [];
  for (const part of [config, ...layers]) {
    const bytes = readBlob(blobs, part.digest);
    if (bytes === undefined) return undefined;
    parts.push({ digest: part.digest, mediaType: part.mediaType, bytes });
  }
  return { digest: imageDigest, mediaType, bytes: manifest, blobs: parts, manifests: [] };
}

/** Undefined: it is not there, or has other bytes. */
function readBlob(blobs: string, name: string): Buffer | undefined {
  const file = join(blobs, ...name.split(':'));
  const bytes = existsSync(file) ? readFileSync(file) : undefined;
  return bytes !== undefined && digestOf(bytes) === name ? bytes : undefined;
}
