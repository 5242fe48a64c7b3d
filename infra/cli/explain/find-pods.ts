import { isJsonObject } from '../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';
import { objectAt, textAt } from '../../../shared/core/json-access.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { ConfigMapData } from '../../../shared/core/kubernetes/references.ts';
import { itemsOf, podOfWorkload, podSpecPath, restartPoliciesOf } from '../../../shared/core/kubernetes/workload.ts';
import { parseConfigMap } from '../../../shared/wire/kubernetes/references.ts';
import { parsePod, podFaults } from '../../../shared/wire/pod.ts';
import type { InputDocument } from './documents.ts';
import type { InputFault, Position } from './source.ts';

/** A workload of the input, with a pod of it. */
export interface FoundPod {
  readonly at: Position;
  readonly kind: string;
  /** The workload's. */
  readonly name: string;
  readonly namespace: string;
  readonly replicas: number;
  readonly pod: Pod;
  readonly written: JsonObject;
}

export interface FoundPods {
  readonly pods: readonly FoundPod[];
  /** Objects that have no pods, by kind. */
  readonly skipped: ReadonlyMap<string, number>;
  /** `namespace/name` → what it holds. */
  readonly configMaps: ReadonlyMap<string, ConfigMapData>;
  readonly faults: readonly InputFault[];
}

type Path = readonly (string | number)[];

interface Item {
  readonly object: JsonObject;
  readonly path: Path;
  readonly document: InputDocument;
}

/** The pods of all workloads; the other objects are counted. `namespace`: of those that name none. */
export function findPods(documents: readonly InputDocument[], namespace: string): FoundPods {
  const pods: FoundPod[] = [];
  const faults = documents.flatMap((document) => listFaults(document, document.object, []));
  const skipped = new Map<string, number>();
  const configMaps = new Map<string, ConfigMapData>();
  for (const item of documents.flatMap(items)) {
    const wrong = objectFaults(item);
    for (const fault of wrong) faults.push(fault);
    if (wrong.length > 0) continue;
    const kind = textAt(item.object, 'kind');
    if (podSpecPath(item.object) === undefined) skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
    else {
      const found = findPod(item, namespace);
      if ('problem' in found) faults.push(found);
      else pods.push(found);
    }
    if (kind !== 'ConfigMap' || textAt(item.object, 'apiVersion') !== 'v1') continue;
    const map = parseConfigMap(item.object);
    if (map === undefined) faults.push(faultOf(item, ['data'], 'expected texts, and base64 in binaryData'));
    else configMaps.set(`${namespaceOf(item.object, namespace)}/${nameOf(item.object)}`, map);
  }
  return { pods, skipped, configMaps, faults };
}

/** Items that are no objects: nothing of a list is left out unseen. */
function listFaults(document: InputDocument, object: JsonObject, path: Path): InputFault[] {
  const { items: list } = object;
  if (!textAt(object, 'kind').endsWith('List') || !Array.isArray(list)) return [];
  return list.flatMap((item: Json, index) => {
    const place = [...path, 'items', index];
    return isJsonObject(item)
      ? listFaults(document, item, place)
      : [{ at: document.position(place), problem: `${fieldText(place)}: expected an object with apiVersion and kind` }];
  });
}

const items = (document: InputDocument): readonly Item[] =>
  itemsOf(document.object).map((item) => ({ ...item, document }));

const nameOf = (object: JsonObject): string => textAt(objectAt(object, 'metadata'), 'name');
const namespaceOf = (object: JsonObject, namespace: string): string =>
  textAt(objectAt(object, 'metadata'), 'namespace') || namespace;

const faultOf = ({ path, document }: Item, where: Path, problem: string): InputFault => ({
  at: document.position([...path, ...where]),
  problem: `${where.length === 0 ? '' : `${fieldText(where)}: `}${problem}`,
});

/** How many pods there are to be: the members of a workload's spec that say so. */
const counts = ['replicas', 'parallelism'];

function countFaults(item: Item, owner: readonly string[]): readonly InputFault[] {
  const spec = valueAt(item.object, owner);
  if (!isJsonObject(spec)) return [];
  return counts.flatMap((name) => {
    const value = spec[name] ?? 0;
    const isCount = typeof value === 'number' && Number.isInteger(value) && value >= 0;
    return isCount ? [] : [faultOf(item, [...owner, name], 'expected a whole number, 0 or more')];
  });
}

/** What keeps the object from being one, or its pods from being pods. */
function objectFaults(item: Item): readonly InputFault[] {
  const { object } = item;
  const fault = (where: Path, problem: string): InputFault => faultOf(item, where, problem);
  const missing = ['apiVersion', 'kind'].filter((name) => textAt(object, name) === '');
  if (missing.length > 0)
    return [fault([], `expected an object with ${missing.join(' and ')}, as all of Kubernetes have`)];
  const unnamed = ['name', 'namespace', 'generateName'].filter((name) => {
    const value = objectAt(object, 'metadata')[name];
    return value !== undefined && typeof value !== 'string';
  });
  if (unnamed.length > 0) return unnamed.map((name) => fault(['metadata', name], 'expected string'));
  const specPath = podSpecPath(object);
  if (specPath === undefined) return [];
  const parent = specPath.slice(0, -1);
  const wrong = parent.length === 0 ? [] : countFaults(item, specPath.slice(0, -2));
  if (wrong.length > 0) return wrong;
  const shapes = podFaults(valueAt(object, [...parent, 'metadata']), valueAt(object, specPath));
  if (shapes.length > 0)
    return shapes.map(({ path: [first, ...rest], expected }) =>
      fault(first === 'spec' ? [...specPath, ...rest] : [...parent, 'metadata', ...rest], expected),
    );
  const kind = textAt(object, 'kind');
  const policies = restartPoliciesOf(kind);
  const spec = valueAt(object, specPath);
  const policy = isJsonObject(spec) ? textAt(spec, 'restartPolicy') || 'Always' : 'Always';
  return policies.includes(policy)
    ? []
    : [
        fault(
          [...specPath, 'restartPolicy'],
          `expected ${policies.join(' or ')}, which a ${kind} takes, found ${policy}`,
        ),
      ];
}

/** `spec.template.spec.containers[0].name`. */
const fieldText = (path: Path): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');

function valueAt(object: JsonObject, path: readonly string[]): Json | undefined {
  const [last = '', ...parents] = path.toReversed();
  return parents.toReversed().reduce(objectAt, object)[last];
}

function findPod({ object, path, document }: Item, namespace: string): FoundPod | InputFault {
  const workload = podOfWorkload(object, namespace);
  const pod = workload === undefined ? undefined : parsePod(workload.pod);
  if (workload === undefined || pod === undefined)
    return {
      at: document.position([...path, 'metadata']),
      problem: 'metadata: expected that of a pod, as the API server writes it',
    };
  return {
    at: document.position(path),
    kind: textAt(object, 'kind'),
    name: nameOf(object) || textAt(objectAt(object, 'metadata'), 'generateName'),
    namespace: pod.metadata.namespace,
    replicas: workload.replicas,
    pod,
    written: workload.written,
  };
}
