import type { EventText } from './group-state.ts';
import type { EmulatorOptions } from './options.ts';
import type { GroupBody } from './wire.ts';

/**
 * Why the shares of a group can't be mounted, in the words of mount.cifs as ACI passes them on (docs/aci.md, Life of a group);
 * undefined: they can. Without `storageAccounts` every account and share is there, and every key is right.
 */
export function shareFault(
  { properties }: GroupBody,
  { storageAccounts }: Pick<EmulatorOptions, 'storageAccounts'>,
): EventText | undefined {
  if (storageAccounts === undefined) return undefined;
  for (const { azureFile } of properties.volumes ?? []) {
    if (azureFile === undefined) continue;
    const account = storageAccounts.find(({ name }) => name === azureFile.storageAccountName);
    const why =
      account === undefined
        ? 'mount error: could not resolve address'
        : account.key !== azureFile.storageAccountKey
          ? 'mount error(13): Permission denied'
          : account.shares.includes(azureFile.shareName)
            ? undefined
            : 'mount error(2): No such file or directory';
    if (why !== undefined) return { name: 'FailedMount', message: `Output: ${why}`, type: 'Warning' };
  }
  return undefined;
}
