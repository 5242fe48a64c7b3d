import type { ImageConfig } from './image-config.ts';

/**
 * What runs in a container, by a kubelet's rule: `command` takes the place of the image's entrypoint *and* of its `CMD`;
 * `args` alone takes that of `CMD`. ACI's `command` takes the place of both. Words of the image are taken as they are,
 * `$(NAME)` in them means nothing. Empty: neither the pod nor the image names a program.
 */
export function containerCommand<Word>(
  container: { readonly command: readonly Word[]; readonly args: readonly Word[] },
  config: Pick<ImageConfig, 'entrypoint' | 'cmd'>,
): readonly (Word | string)[] {
  const { command, args } = container;
  if (command.length > 0) return [...command, ...args];
  return [...config.entrypoint, ...(args.length > 0 ? args : config.cmd)];
}
