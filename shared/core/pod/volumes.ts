import { fileRights, givenFsGroup, hasPlainModes } from '../agent/file-rights.ts';
import type { VolumeToPrepare } from '../agent/install.ts';
import type { LiveVolumes } from '../agent/live-volumes.ts';
import { volumePlace } from '../agent/places.ts';
import { prepareFiles } from '../agent/prepared-files.ts';
import type { AgentDecision } from '../agent/decision.ts';
import type { PreparedVolume } from '../agent/orders.ts';
import type { GroupVolume } from '../group/group.ts';
import type { Pod } from '../kubernetes/pod.ts';
import type { EnvironmentScope } from './environment.ts';
import { folderMaker, mountedVolumes, tokenSources, volumeParts } from './mounted-volumes.ts';
import type { TokenSource, VolumePart } from './mounted-volumes.ts';
import { all, ok } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import { claimedShare, inlineShare } from './shares.ts';
import { readableMode, volumeFiles } from './volume-files.ts';
import type { VolumeFile, VolumeScope } from './volume-files.ts';
import { filePlace } from './volume-folders.ts';

export interface GroupVolumesScope extends EnvironmentScope {
  readonly given: AgentDecision;
  readonly live: LiveVolumes;
}

/** A volume of the group, and what `install` does to it. */
interface MadeVolume {
  readonly volume: GroupVolume;
  readonly prepared?: Omit<PreparedVolume, 'path'>;
}

type MakeScope = VolumeScope & GroupVolumesScope;

/** A part of a volume, under its name in the group. */
interface NamedPart extends VolumePart {
  readonly name: string;
}

const asItIs = (volumes: Evaluation<readonly GroupVolume[]>): Evaluation<readonly MadeVolume[]> =>
  volumes.kind === 'ok' ? ok(volumes.value.map((volume) => ({ volume }))) : volumes;

/** All parts of one volume. */
function partsOfVolume(parts: readonly NamedPart[], scope: MakeScope): Evaluation<readonly MadeVolume[]> {
  const { source } = scope.volume;
  switch (source.kind) {
    case 'emptyDir': {
      const { given, pod } = scope;
      const fsGroup = given.kind === 'agent' ? givenFsGroup(pod, given.lost) : undefined;
      return ok(
        parts.map(({ name }) => ({
          volume: { name, emptyDir: {} },
          ...(fsGroup !== undefined && { prepared: { name, fsGroup } }),
        })),
      );
    }
    case 'azureFile':
      return asItIs(all(parts.map(({ name }) => inlineShare({ ...scope, name }, source))));
    case 'claim':
      return asItIs(all(parts.map(({ name }) => claimedShare({ ...scope, name }, source))));
    default: {
      const files = volumeFiles(source, scope);
      if (files.kind !== 'ok') return files;
      return scope.given.kind === 'agent'
        ? all(parts.map((part) => preparedVolume(part, files.value, scope)))
        : ok(parts.map((part) => ({ volume: fileVolume(part, files.value) })));
    }
  }
}

/** ACI takes no secret volume without a file; an emptyDir, mounted read-only, looks the same from inside. */
const secretVolume = (name: string, secret: Readonly<Record<string, string>>): GroupVolume =>
  Object.keys(secret).length === 0 ? { name, emptyDir: {} } : { name, secret };

/** Those files of the volume that are in this folder of it. */
function fileVolume({ name, folder = '' }: NamedPart, files: readonly VolumeFile[]): GroupVolume {
  const own = files.flatMap(({ path, content }) => {
    const place = filePlace(path);
    return place?.folder === folder ? [[place.file, Buffer.from(content).toString('base64')] as const] : [];
  });
  return secretVolume(name, Object.fromEntries(own.toSorted(([left], [right]) => (left < right ? -1 : 1))));
}

/** All files of the volume, as the agent makes it. */
function preparedVolume(
  { name, volume, path }: NamedPart,
  files: readonly VolumeFile[],
  { pod, resolved, live, given }: MakeScope,
): Evaluation<MadeVolume> {
  const refresher = live.get(volume.name);
  const lost = given.kind === 'agent' ? given.lost : undefined;
  const rights = fileRights(pod, resolved, volume.name, { refresher: refresher?.uid, lost });
  const wanted = hasPlainModes(pod, lost) ? files.map((file) => ({ ...file, mode: readableMode })) : files;
  const made = prepareFiles(wanted, { ...rights, isLive: refresher !== undefined }, path);
  if (made.kind !== 'ok') return made;
  const { secret, prepared } = made.value;
  return ok({ volume: secretVolume(name, secret), ...(prepared && { prepared: { name: volume.name, ...prepared } }) });
}

/** What a volume of the group is up for: one of the pod, or a folder of it. */
export const volumeKey = (name: string, folder: string | undefined): string =>
  folder === undefined ? name : `${name}/${folder}`;

/** ACI takes no double hyphen in a volume's name (docs/aci.md, Limits of a group); the name is seen by nobody else. */
export function groupVolumeNames(volumes: readonly VolumePart[]): ReadonlyMap<string, string> {
  const taken = new Set(volumes.map(({ volume }) => volume.name));
  const names = new Map<string, string>();
  for (const { volume, folder } of volumes) {
    const wanted = folder === undefined ? volume.name : `${volume.name.slice(0, 58)}-${names.size}`;
    const base = wanted.replaceAll(/-{2,}/g, '-');
    let name = base;
    for (let count = 1; name !== volume.name && taken.has(name); count += 1)
      name = `${base.slice(0, 55).replace(/-$/, '')}-x${count}`;
    taken.add(name);
    names.set(volumeKey(volume.name, folder), name);
  }
  return names;
}

export interface GroupVolumes {
  /** Those of the pod, in the order of the spec. */
  readonly volumes: readonly GroupVolume[];
  /** Those that `install` prepares. */
  readonly prepared: readonly VolumeToPrepare[];
}

function namedParts(pod: Pod, given: AgentDecision): ReadonlyMap<string, readonly NamedPart[]> {
  const parts = volumeParts(pod, folderMaker(given));
  const names = groupVolumeNames(parts);
  const ofVolume = new Map<string, NamedPart[]>();
  for (const part of parts) {
    const { name: own } = part.volume;
    const named = { ...part, name: names.get(volumeKey(own, part.folder)) ?? own };
    const known = ofVolume.get(part.path);
    if (known === undefined) ofVolume.set(part.path, [named]);
    else known.push(named);
  }
  return ofVolume;
}

function tokensOf({ pod, resolved }: EnvironmentScope): ReadonlyMap<TokenSource, string> {
  const tokens = new Map<TokenSource, string>();
  for (const [index, source] of tokenSources(pod).entries()) {
    const token = resolved.tokens[index];
    if (token !== undefined) tokens.set(source, token.value);
  }
  return tokens;
}

/** The group's volumes; waits for objects and keys that are missing and required. */
export function groupVolumes(scope: GroupVolumesScope): Evaluation<GroupVolumes> {
  const ofVolume = namedParts(scope.pod, scope.given);
  const tokens = tokensOf(scope);
  const made = { contents: new Map(), anchors: new Map() };
  const volumes = all(
    mountedVolumes(scope.pod).map(({ volume, path }) =>
      partsOfVolume(ofVolume.get(path) ?? [], { ...scope, volume, path, tokens, made }),
    ),
  );
  if (volumes.kind !== 'ok') return volumes;
  const list = volumes.value.flat();
  return ok({
    volumes: list.map(({ volume }) => volume),
    prepared: list.flatMap(({ volume, prepared }, index) => {
      if (prepared === undefined) return [];
      const { name, ...rest } = prepared;
      return [{ volume: volume.name, orders: { name, path: volumePlace(index), ...rest } }];
    }),
  });
}
