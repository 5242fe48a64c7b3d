import type { Pod, VolumeSource } from '../../kubernetes/pod.ts';
import { mountedVolumes } from '../../pod/mounted-volumes.ts';
import { locatedSources } from '../../pod/volume-folders.ts';
import type { Need } from '../tier.ts';

const isChanging = (fieldPath: string | undefined): boolean =>
  /^metadata\.(labels|annotations)\b/.test(fieldPath ?? '');

function fieldsOf(source: VolumeSource, path: string): readonly string[] {
  return locatedSources(source, path).flatMap(({ source: part, path: place }) =>
    part.kind === 'downwardAPI'
      ? part.items.flatMap(({ fieldRef }, index) =>
          isChanging(fieldRef?.fieldPath) ? [`${place}.items[${index}].fieldRef`] : [],
        )
      : [],
  );
}

/** Who mounts labels and annotations as files reads what they become: as variables, which never change, they are simpler. */
export const liveNeeds = (pod: Pod): readonly Need[] =>
  mountedVolumes(pod).flatMap(({ volume, path }) =>
    fieldsOf(volume.source, path).map((field): Need => ({
      tier: 'T2',
      strength: 'wants',
      field,
      why: '',
      concerns: 'group',
    })),
  );
