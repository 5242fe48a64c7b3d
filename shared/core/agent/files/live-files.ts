import type { Volume } from '../../kubernetes/pod.ts';
import { ok, refuse } from '../../pod/evaluation.ts';
import type { Evaluation } from '../../pod/evaluation.ts';
import type { EnvironmentScope } from '../../pod/environment.ts';
import { locatedContainers } from '../../pod/rules/rule.ts';
import { mountedVolumes, tokenSources } from '../../pod/mounted-volumes.ts';
import type { TokenSource } from '../../pod/mounted-volumes.ts';
import type { ResolvedReferences } from '../../pod/translation.ts';
import { volumeFiles } from '../../pod/volume-files.ts';
import type { VolumeFile } from '../../pod/volume-files.ts';
import type { GroupVolumesScope } from '../../pod/volumes.ts';
import type { AgentKeyName } from '../access.ts';
import { fileRights } from '../file-rights.ts';
import { isReserved, modeOf } from '../prepared-files.ts';
import { keyText } from '../wraps.ts';
import type { KnownFiles, VolumeMemory } from './file-memory.ts';
import { contentRevision, renewalSeconds, volumeRevision } from './revision.ts';
import { sourceVersion, volumeSources } from './volume-sources.ts';
import type { VolumeObject } from './volume-sources.ts';

/** A live volume as a group is made with it, before anybody knows when. */
export interface MadeLiveVolume extends Pick<VolumeMemory, 'container' | 'version' | 'isShared'> {
  readonly content: string;
  /** So long after its PUT its tokens are to be renewed. */
  readonly renewSeconds?: number;
}

/** By the name of the volume. */
export type MadeLiveVolumes = Readonly<Record<string, MadeLiveVolume>>;

/** Of a group that nobody remembers: its agents get all files once, whatever they have. `key`: by the group's tags. */
export function rebuiltMemory(scope: GroupVolumesScope, key: AgentKeyName): KnownFiles {
  const volumes = liveMounts(scope).map(({ volume, container, isShared }): [string, VolumeMemory] => {
    const hasTokens = volumeSources(volume).tokens.length > 0;
    return [volume.name, { container, version: '', ...(isShared && { isShared }), ...(hasTokens && { renewAt: 0 }) }];
  });
  return volumes.length === 0 ? 'none' : { key, volumes: Object.fromEntries(volumes) };
}

interface LiveMount {
  readonly volume: Volume;
  readonly container: string;
  readonly isShared: boolean;
}

function liveMounts({ pod, live, resolved, given }: GroupVolumesScope): readonly LiveMount[] {
  const containers = new Map(locatedContainers(pod).map((located) => [keyText(located), located.container.name]));
  return mountedVolumes(pod).flatMap(({ volume }): readonly LiveMount[] => {
    const refresher = live.get(volume.name);
    const container = refresher && containers.get(refresher.key);
    if (refresher === undefined || container === undefined) return [];
    const lost = given.kind === 'agent' ? given.lost : undefined;
    const { isShared } = fileRights(pod, resolved, volume.name, { refresher: refresher.uid, lost });
    return [{ volume, container, isShared }];
  });
}

/** The live volumes of a group whose volumes can be made. */
export function madeLiveVolumes(scope: GroupVolumesScope): MadeLiveVolumes {
  const { pod, resolved } = scope;
  const sources = tokenSources(pod);
  const made = liveMounts(scope).flatMap(
    ({ volume, container, isShared }): readonly (readonly [string, MadeLiveVolume])[] => {
      const files = liveFiles(scope, { volume, isShared });
      const lifetimes = volumeSources(volume).tokens.flatMap(
        (source) => resolved.tokens[sources.indexOf(source)]?.lifetimeSeconds ?? [],
      );
      if (files.kind !== 'ok') return [];
      return [
        [
          volume.name,
          {
            container,
            content: contentRevision(keyOf(resolved), files.value),
            version: sourceVersion(volume, pod, versionIn(resolved)),
            ...(isShared && { isShared }),
            ...(lifetimes.length > 0 && { renewSeconds: renewalSeconds(Math.min(...lifetimes)) }),
          },
        ],
      ];
    },
  );
  return Object.fromEntries(made);
}

const keyOf = ({ agent }: ResolvedReferences): Buffer => Buffer.from(agent?.key ?? '', 'base64');

/** What the row is to know of them; `at`: when the PUT is sent, Table service's time. */
export function memoryOfPut(
  key: AgentKeyName | undefined,
  volumes: MadeLiveVolumes | undefined = {},
  at: number,
): KnownFiles {
  const entries = Object.entries(volumes);
  if (key === undefined || entries.length === 0) return 'none';
  const memories = entries.map(([name, { content, renewSeconds, ...rest }]): [string, VolumeMemory] => {
    const renewAt = renewSeconds === undefined ? undefined : at + renewSeconds * 1000;
    return [name, { ...rest, made: volumeRevision(content, renewAt), ...(renewAt !== undefined && { renewAt }) }];
  });
  return { key, volumes: Object.fromEntries(memories) };
}

/** Which version of an object was read. */
export const versionIn =
  ({ configMaps, secrets }: Pick<ResolvedReferences, 'configMaps' | 'secrets'>) =>
  ({ kind, name }: VolumeObject): string | undefined =>
    (kind === 'secret' ? secrets : configMaps).get(name)?.resourceVersion;

/** Tokens by their sources; without them each is empty, so that what else is in the volume can be compared. */
export type TokenValues = ReadonlyMap<TokenSource, string>;

/**
 * All files of a live volume, as the agent is to write them. `waiting` where something that is required is missing, `refused`
 * where there is no such tree: a kubelet keeps the files as they are then.
 */
export function liveFiles(
  scope: EnvironmentScope,
  { volume, isShared, tokens }: { readonly volume: Volume; readonly isShared: boolean; readonly tokens?: TokenValues },
): Evaluation<readonly VolumeFile[]> {
  const { source } = volume;
  if (source.kind === 'emptyDir' || source.kind === 'azureFile' || source.kind === 'claim') return ok([]);
  const path = `spec.volumes[${scope.pod.spec.volumes.indexOf(volume)}]`;
  const values = tokens ?? new Map(volumeSources(volume).tokens.map((token) => [token, '']));
  const made = { contents: new Map(), anchors: new Map() };
  const files = volumeFiles(source, { ...scope, volume, path, tokens: values, made });
  if (files.kind !== 'ok') return files;
  const reserved = files.value.find(isReserved);
  if (reserved !== undefined) return refuse(path, `the name of its file ${reserved.path} begins with ..`);
  return ok(files.value.map((file) => ({ ...file, mode: modeOf(file, isShared) })));
}
