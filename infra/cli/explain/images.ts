import { readFileSync } from 'node:fs';
import { imageOverride } from '../../../shared/core/image/image-override.ts';
import type { ImageOverrides } from '../../../shared/core/image/image-override.ts';
import type { Known } from '../../../shared/core/pod/placeholders.ts';
import { imageConfigs } from '../../../shared/wire/registry-settings.ts';
import type { CliContext } from '../context.ts';
import { wrongInput } from '../stop.ts';

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
export async function knownImages(context: CliContext): Promise<Known['images']> {
  const { options } = context;
  const file = options.text('images');
  const ofFile = file === undefined ? {} : readOverrides(file);
  const isNamed = options.text('settings') !== undefined || options.text('app') !== undefined;
  const ofApp = isNamed ? (await context.settings()).IMAGE_CONFIGS : {};
  return (image) => imageOverride(image, ofFile) ?? imageOverride(image, ofApp);
}
