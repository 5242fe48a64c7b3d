import type { GroupVolumeMount } from '../group/group.ts';
import type { Pod, VolumeMount } from '../kubernetes/pod.ts';
import { textOf } from '../pod/command.ts';
import type { Variables } from '../pod/environment.ts';
import { configError, ok, refuse } from '../pod/evaluation.ts';
import type { Evaluation } from '../pod/evaluation.ts';
import { expand } from '../pod/expansion.ts';
import { folderMaker, isWholeVolume, mountedFolders, mountedParts, volumeParts } from '../pod/mounted-volumes.ts';
import { absolutePath, nestedPaths, pathParts } from '../pod/nested-paths.ts';
import type { Located } from '../pod/rules/rule.ts';
import { isReadOnlyVolume } from '../pod/volume-kinds.ts';
import { groupVolumeNames, volumeKey } from '../pod/volumes.ts';
import type { AgentDecision } from './decision.ts';
import type { LiveVolumes } from './live-volumes.ts';
import type { LiveVolume, SubPath, Text } from './orders.ts';
import { keyText } from './wraps.ts';
import { volumePlace } from './places.ts';

/** What the mounts of a container come to. */
export interface ContainerMounts {
  readonly volumeMounts: readonly GroupVolumeMount[];
  /** What the agent puts at other places. */
  readonly subPaths: readonly SubPath[];
  /** The volumes that this container's agent keeps as what they are made of. */
  readonly live: readonly LiveVolume[];
}

interface MountScope {
  readonly isWrapped: boolean;
  /** Of the container, for expressions. */
  readonly variables: Variables;
}

interface GroupNames {
  /** By `volumeKey`. */
  readonly names: ReadonlyMap<string, string>;
  /** The number of each volume of the group. */
  readonly places: ReadonlyMap<string, string>;
}

function groupNames(pod: Pod, given: AgentDecision): GroupNames {
  const names = groupVolumeNames(volumeParts(pod, folderMaker(given)));
  const places = new Map([...names.values()].map((name, index) => [name, volumePlace(index)]));
  return { names, places };
}

/** The folder or file of a volume that a mount names; empty: all of it. */
function subPathOf({ subPath, subPathExpr }: VolumeMount, variables: Variables, field: string): Evaluation<Text> {
  const missing: string[] = [];
  const path = expand(subPathExpr ?? '', (name) => {
    const value = variables.get(name);
    if (value === undefined) missing.push(name);
    return value;
  });
  const [first] = missing;
  if (first !== undefined) return { ...configError(`${field}: missing value for "${first}"`), field };
  if (path.late === true) return ok(textOf(path));
  const parts = pathParts(subPathExpr === undefined ? (subPath ?? '') : path.value);
  const isOutside = parts.includes('..') || path.value.startsWith('/');
  return isOutside ? refuse(field, 'it leads out of its volume') : ok(parts.join('/'));
}

interface Placed {
  readonly mount: VolumeMount;
  readonly field: string;
  readonly isLinked: boolean;
  readonly place: string;
}

const isInside = (inner: string, outer: string): boolean => inner.startsWith(outer === '/' ? '/' : `${outer}/`);

/** A link can hold no mount, but what is linked or copied into its folder; and nothing is put where nobody writes. */
function misplaced(pod: Pod, placed: readonly Placed[]): Evaluation<undefined> {
  const nested = nestedPaths(placed.map(({ place }) => place));
  const isSealed = ({ mount }: Placed): boolean => mount.readOnly || isReadOnlyVolume(pod, mount.name);
  for (const { place, field } of placed.filter((one) => one.isLinked && nested.has(one.place))) {
    if (placed.some((other) => !other.isLinked && isInside(other.place, place)))
      return refuse(field, 'another volume is mounted inside of it, which a link can not hold');
    const around = placed.find((other) => isInside(place, other.place) && isSealed(other));
    if (around !== undefined)
      return refuse(field, `it is inside of the volume ${around.mount.name}, which can not be written to`);
  }
  return ok(undefined);
}

/** The agent puts them where they belong one by one: a folder before what is put into it. */
const outerFirst = (parts: readonly SubPath[]): readonly SubPath[] =>
  parts.toSorted((one, other) => one.mountPath.split('/').length - other.mountPath.split('/').length);

/** The mounts of each container, made once for all of them. */
export function containerMounts(
  pod: Pod,
  given: AgentDecision,
  live: LiveVolumes,
): (located: Located, scope: MountScope) => Evaluation<ContainerMounts> {
  const { names, places } = groupNames(pod, given);
  const partsOf = mountedParts(pod, folderMaker(given));
  const folderOf = mountedFolders(pod);
  const nameOf = (name: string, folder?: string): string => names.get(volumeKey(name, folder)) ?? name;
  const mounted = (mount: VolumeMount): readonly GroupVolumeMount[] => {
    const isReadOnly = mount.readOnly || isReadOnlyVolume(pod, mount.name);
    return partsOf(mount).map(({ mountPath, folder }) => ({
      name: nameOf(mount.name, folder),
      mountPath,
      ...(isReadOnly && { readOnly: true }),
    }));
  };
  return (located, { isWrapped, variables }) => {
    const { container, path } = located;
    const placed = container.volumeMounts.map((mount, index): Placed => {
      const isExpression = mount.subPathExpr !== undefined && mount.subPathExpr !== '';
      const isPart = isExpression || (!isWholeVolume(mount) && folderOf(mount) === undefined);
      const field = `${path}.volumeMounts[${index}].${isExpression ? 'subPathExpr' : 'subPath'}`;
      return { mount, field, isLinked: isWrapped && isPart, place: absolutePath(mount.mountPath) };
    });
    const fits = misplaced(pod, placed);
    if (fits.kind !== 'ok') return fits;
    const volumeMounts: GroupVolumeMount[] = [];
    const subPaths: SubPath[] = [];
    for (const { mount, field, isLinked, place } of placed) {
      const part = isLinked ? subPathOf(mount, variables, field) : ok('');
      if (part.kind !== 'ok') return part;
      if (part.value === '') volumeMounts.push(...mounted(mount));
      else {
        const name = nameOf(mount.name);
        const isReadOnly = mount.readOnly || isReadOnlyVolume(pod, mount.name);
        subPaths.push({
          name: mount.name,
          volume: places.get(name) ?? '',
          path: part.value,
          mountPath: place,
          ...(isReadOnly && { readOnly: true as const }),
        });
      }
    }
    const key = keyText(located);
    const own = [...live].flatMap(([name, refresher]): readonly LiveVolume[] =>
      refresher.key === key ? [{ name, path: places.get(nameOf(name)) ?? '' }] : [],
    );
    return ok({
      volumeMounts: [...volumeMounts, ...wholeMounts(pod, { subPaths, live: own }, nameOf)],
      subPaths: outerFirst(subPaths),
      live: own,
    });
  };
}

/** Volumes of which the container gets parts, or whose files its agent changes, each once, beside what it sees of them. */
function wholeMounts(
  pod: Pod,
  { subPaths, live }: Pick<ContainerMounts, 'subPaths' | 'live'>,
  nameOf: (name: string) => string,
): readonly GroupVolumeMount[] {
  const byPlace = new Map([
    ...subPaths.map(({ volume, name }) => [volume, name] as const),
    ...live.map(({ path, name }) => [path, name] as const),
  ]);
  return [...byPlace].map(([mountPath, name]) => {
    const parts = subPaths.filter(({ volume }) => volume === mountPath);
    const isChanged = live.some(({ path }) => path === mountPath);
    const isReadOnly = !isChanged && (isReadOnlyVolume(pod, name) || parts.every(({ readOnly }) => readOnly === true));
    return { name: nameOf(name), mountPath, ...(isReadOnly && { readOnly: true }) };
  });
}
