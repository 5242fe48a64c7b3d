import type { Pod } from '../../kubernetes/pod.ts';
import { isWholeVolume, mountedFolders } from '../../pod/mounted-volumes.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import { fileFolders, locatedFiles, maxVolumes, separateFolders } from '../../pod/volume-folders.ts';
import type { Need } from '../tier.ts';

/** A folder of a volume is a volume of its own only where nobody sees the whole. */
export function subPathNeeds(pod: Pod): readonly Need[] {
  const folderOf = mountedFolders(pod);
  return locatedContainers(pod).flatMap(({ container, path, member, index }) =>
    container.volumeMounts.flatMap((mount, at): readonly Need[] => {
      // An expression is a row of the table.
      if (isWholeVolume(mount) || folderOf(mount) !== undefined) return [];
      return [
        {
          tier: 'T1',
          strength: 'needs',
          field: `${path}.volumeMounts[${at}].subPath`,
          why: 'ACI mounts whole volumes only',
          concerns: { member, index },
        },
      ];
    }),
  );
}

const notNested = 'ACI can not be relied on to mount a folder inside of another volume';
const noColon = 'ACI takes no : in the path of a mount';

/** Files in folders are as many volumes, where ACI mounts them beside all others; else a kubelet's tree has to be made. */
export function folderNeeds(pod: Pod): readonly Need[] {
  const separate = separateFolders(pod);
  return pod.spec.volumes.flatMap(({ name, source }, index): readonly Need[] => {
    const inFolders = locatedFiles(source, `spec.volumes[${index}]`).filter(
      ({ place }) => place !== undefined && place.folder !== '',
    );
    const [first] = inFolders;
    if (first === undefined) return [];
    const need = { tier: 'T1', strength: 'needs', concerns: 'group' } as const;
    const count = fileFolders(source)?.length ?? 0;
    if (count > maxVolumes) {
      const why = `the files are in ${count} folders, each a volume; a group takes ${maxVolumes}`;
      return [{ ...need, field: first.path, why }];
    }
    return inFolders.flatMap(({ place, path }) => {
      if (!separate.has(name)) return [{ ...need, field: path, why: notNested }];
      return place?.folder.includes(':') === true ? [{ ...need, field: path, why: noColon }] : [];
    });
  });
}
