/**
 * What to do about a refusal, without the agent too. It judges nothing: a field is refused by the compatibility table and
 * the rules alone.
 */
import { isJsonObject } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { compatibilityTable } from './compatibility.ts';
import { fieldAvailability } from './field-ref.ts';

export interface RefusedField {
  /** As in the compatibility table: `spec.containers[].tty`. */
  readonly path: string;
  /** What to change in the pod; half a sentence. */
  readonly wayOut: string;
  /** The row is for these values only; the first that fits counts. */
  readonly when?: (value: Json | undefined) => boolean;
}

type Row = readonly [path: string, wayOut: string, when?: RefusedField['when']];

const rowsOf = (rows: readonly Row[]): readonly RefusedField[] =>
  rows.map(([path, wayOut, when]) => ({ path, wayOut, ...(when && { when }) }));

const isLate = (value: Json | undefined): boolean => {
  const path = isJsonObject(value) ? value['fieldPath'] : undefined;
  return typeof path === 'string' && fieldAvailability(path, 'environment') === 'late';
};

const withoutProbe = 'leave the probe out';
const ownPort = 'give the number, or the name of one of the ports of the container';
const ownUser = 'leave it out where the image names the user that is wanted, or name it in the image (USER)';
const noHost = 'run it on an ordinary node: it needs the host';
const elsewhere = 'use emptyDir, Azure Files, or what the program can reach by the network';
const ownCommand = 'put it into the command, or into the image';

/** Of both kinds of containers. */
const anyContainer: readonly Row[] = [
  ['command[]', 'read it from the environment instead'],
  ['args[]', 'read it from the environment instead'],
  ['workingDir', 'begin the command with cd, or set WORKDIR in the image'],
  ['env[].name', 'rename it to letters, digits and _'],
  ['env[].valueFrom.fieldRef', "read the address inside: hostname -i, or the program's own interface", isLate],
  ['volumeMounts[].subPath', 'mount the whole volume in a folder of its own'],
  ['volumeMounts[].subPathExpr', 'mount the whole volume in a folder of its own'],
  ['lifecycle.postStart.exec', ownCommand],
  ['lifecycle.postStart.httpGet', ownCommand],
  ['lifecycle.postStart.sleep', ownCommand],
  ['lifecycle.postStart.tcpSocket', ownCommand],
  ['lifecycle.preStop.exec', ownCommand],
  ['lifecycle.preStop.httpGet', ownCommand],
  ['lifecycle.preStop.tcpSocket', ownCommand],
  ['lifecycle.stopSignal', ownCommand],
  ['stdin', 'give the container a command that ends by itself'],
  ['stdinOnce', 'give the container a command that ends by itself'],
  ['tty', 'leave it out: logs come without a terminal too'],
  ['terminationMessagePath', 'leave the default, or use FallbackToLogsOnError'],
  ['restartPolicyRules', "use the pod's restartPolicy"],
  ['securityContext.runAsUser', ownUser],
  ['securityContext.runAsNonRoot', 'take an image that names a user by its number (USER 1000), or set runAsUser'],
  ['securityContext.privileged', noHost],
  ['securityContext.capabilities.add[]', noHost],
  ['resources.requests.*', 'run it on an ordinary node that has it'],
  ['resources.limits.*', 'run it on an ordinary node that has it'],
  ['resources.claims', 'run it on an ordinary node that has it'],
  ['volumeDevices', 'run it on an ordinary node: it needs a block device'],
];

const containers: readonly Row[] = [
  ...anyContainer,
  ...['httpGet.host', 'httpGet.httpHeaders', 'tcpSocket', 'grpc', 'terminationGracePeriodSeconds'].map((name): Row => [
    `livenessProbe.${name}`,
    withoutProbe,
  ]),
  ['livenessProbe.httpGet.port', ownPort],
  ...['exec', 'httpGet.host', 'tcpSocket.host'].map((name): Row => [`readinessProbe.${name}`, withoutProbe]),
  ['readinessProbe.terminationGracePeriodSeconds', withoutProbe],
  ['readinessProbe.httpGet.port', ownPort],
  ['readinessProbe.tcpSocket.port', ownPort],
  // Without a subnet.
  ['readinessProbe', 'give the node a subnet (ACI_SUBNET_ID)'],
  ['startupProbe', withoutProbe],
  ['restartPolicy', "use the pod's restartPolicy"],
];

const initContainers: readonly Row[] = [
  ...anyContainer,
  ['livenessProbe', withoutProbe],
  ['readinessProbe', withoutProbe],
  ['startupProbe', withoutProbe],
  ['restartPolicy', 'make the sidecar an ordinary container'],
];

const files: readonly Row[] = [
  'configMap.items[].path',
  'secret.items[].path',
  'downwardAPI.items[].path',
  'projected.sources[].configMap.items[].path',
  'projected.sources[].secret.items[].path',
  'projected.sources[].downwardAPI.items[].path',
  'projected.sources[].serviceAccountToken.path',
  'projected.sources[].clusterTrustBundle.path',
].map((path): Row => [path, 'use a plain file name, and one volume for each folder']);

const volumes: readonly Row[] = [
  ...files,
  ['hostPath', noHost],
  ['csi.driver', elsewhere],
  ['csi.volumeAttributes.*', 'leave the attribute out'],
  ['azureDisk', elsewhere],
  ...['nfs', 'iscsi', 'cephfs', 'rbd', 'glusterfs'].map((name): Row => [name, elsewhere]),
  ['image', 'copy the files in an init container of that image'],
  ['gitRepo', 'clone in an init container'],
];

const pod: readonly Row[] = [
  ['hostAliases', 'let a name server know the names, or use the addresses'],
  ['securityContext.runAsUser', ownUser],
  ['securityContext.runAsNonRoot', 'take an image that names a user by its number (USER 1000), or set runAsUser'],
  ['securityContext.supplementalGroups', 'leave it out where the files of the pod need no further group'],
  ['securityContext.sysctls', noHost],
  ['hostNetwork', noHost],
  ['hostPID', noHost],
  ['hostIPC', noHost],
  ['shareProcessNamespace', 'let the containers speak over the network or a shared volume'],
  ['resources', 'give each container its own requests'],
  ['runtimeClassName', 'leave it out'],
];

const below = (prefix: string, rows: readonly Row[]): readonly Row[] =>
  rows.map(([path, ...rest]): Row => [`${prefix}.${path}`, ...rest]);

export const refusedFields: readonly RefusedField[] = rowsOf([
  ...below('spec', pod),
  ...below('spec.containers[]', containers),
  ...below('spec.initContainers[]', initContainers),
  ...below('spec.volumes[]', volumes),
]);

/** `spec.containers[0].tty` → `spec.containers[].tty`; a name in brackets is any other key of a map. */
export const fieldPattern = (field: string): string =>
  field.replaceAll(/\[[\d*]+\]/g, '[]').replaceAll(/\[[^\]]+\]/g, '.*');

function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (Array.isArray(value)) return /^\d+$/.test(name) ? value[Number(name)] : undefined;
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The value that a spec has at a field's path; undefined where the path is not one of single members. */
export function valueAtField(rawSpec: JsonObject, field: string): Json | undefined {
  let value: Json | undefined = { spec: rawSpec };
  // A name with dots is in brackets.
  for (const [part, inBrackets] of field.matchAll(/\[([^\]]+)\]|[^.[\]]+/g))
    value = memberOf(value, inBrackets ?? part);
  return value;
}

const tablePaths: ReadonlySet<string> = new Set(compatibilityTable.map(({ path }) => path));

/** What is known of the field of a refusal, in a pod with this spec. A key of a map without dots is in no brackets. */
export function refusedField(field: string, rawSpec: JsonObject): RefusedField | undefined {
  const value = valueAtField(rawSpec, field);
  const find = (pattern: string): RefusedField | undefined =>
    refusedFields.find(({ path, when }) => path === pattern && (when?.(value) ?? true));
  const pattern = fieldPattern(field);
  return find(pattern) ?? (tablePaths.has(pattern) ? undefined : find(pattern.replace(/\.[^.]+$/, '.*')));
}
