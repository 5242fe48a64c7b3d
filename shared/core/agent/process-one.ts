import type { ImageConfig } from '../image/image-config.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { locatedContainers } from '../pod/rules/rule.ts';
import type { ResolvedReferences } from '../pod/translation.ts';
import { keyText } from './wraps.ts';
import type { ProcessOnes } from './wraps.ts';

/** Programs that refuse to run, or run nothing, unless they are process 1: s6-overlay and systemd. */
const insisting: ReadonlySet<string> = new Set([
  '/init',
  '/sbin/init',
  '/usr/sbin/init',
  '/bin/systemd',
  '/usr/bin/systemd',
  '/lib/systemd/systemd',
  '/usr/lib/systemd/systemd',
]);

function programOf(command: readonly string[], config: ImageConfig | undefined): string | undefined {
  return command[0] ?? config?.entrypoint[0] ?? config?.cmd[0];
}

/** Whose programs insist on being process 1; those of images that are not known are taken not to. */
export const processOnes = (pod: Pod, { images }: Pick<ResolvedReferences, 'images'>): ProcessOnes =>
  new Map(
    locatedContainers(pod).flatMap((located) => {
      const { command, image } = located.container;
      const read = images.get(image);
      const program = programOf(command, read?.ok === true ? read.value : undefined);
      return program !== undefined && insisting.has(program) ? [[keyText(located), program] as const] : [];
    }),
  );
