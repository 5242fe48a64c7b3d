import { readFileSync } from 'node:fs';
import { imageOverride } from '../../../shared/core/image/image-override.ts';
import type { ImageOverrides } from '../../../shared/core/image/image-override.ts';
import type { Known } from '../../../shared/core/pod/placeholders.ts';
import { imageConfigs } from '../../../shared/wire/registry-settings.ts';
import type { ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';
import type { NamedApp } from './facts.ts';

const shape = '{"IMAGE": {"entrypoint": ["/entry"], "cmd": [], "user": "1000", "workingDir": "/app"}}';

function readOverrides(file: string): ImageOverrides {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw wrongInput(`--images: ${file} can not be read`, `name a file of the shape ${shape}`);
  }
  const parsed = imageConfigs.safeParse(text);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? '' : ` ${issue.path.join('.')}:`;
  throw wrongInput(`--images: ${file}:${at} ${issue?.message ?? 'it can not be read'}`, `expected ${shape}`);
}

/** What images say: of `--images` first, then of the setting IMAGE_CONFIGS where an app is named. */
export async function knownImages(options: ParsedOptions, namedApp: NamedApp): Promise<Known['images']> {
  const file = options.text('images');
  const ofFile = file === undefined ? {} : readOverrides(file);
  const ofApp = (await namedApp())?.IMAGE_CONFIGS ?? {};
  return (image) => imageOverride(image, ofFile) ?? imageOverride(image, ofApp);
}
