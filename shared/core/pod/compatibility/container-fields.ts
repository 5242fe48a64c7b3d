import { prepared } from '../../agent/gift.ts';
import { under } from './field-rule.ts';
import type { FieldRow, FieldRule } from './field-rule.ts';
import { containerSecurityFields } from './security-fields.ts';

/** What a later version does by a program of ours in the container. */
const agent = 'which is not part of this version';
const byAgent = (what: string): string => `${what} needs a process of ours in the container, ${agent}`;
const readiness = "the relay probes the pod's address; only with a subnet";
const startup = byAgent('a probe that holds the others back');
const hooks = 'hooks and stop signals need a process of ours in the container, which is not part of this version';
const sleep = 'the app waits so long at a deletion, within the grace period, before it stops the group';
const terminal = 'attaching to a running container is not part of this version';
const noSuchResource = 'ACI has cores and memory only';

const environment: readonly FieldRow[] = [
  ['env[].name', 'sent', 'letters, digits and `_` only, at most 63', prepared.needs('any name')],
  ['env[].value', 'sent', 'after expansion; a secure value when a secret was expanded into it'],
  ['env[].valueFrom.configMapKeyRef', 'sent', 'the value as it is when the group is created'],
  ['env[].valueFrom.secretKeyRef', 'sent', 'as a secure value'],
  [
    'env[].valueFrom.fieldRef',
    'emulated',
    'all but `status.podIP` and `status.podIPs`, which ACI knows only after the start',
    prepared.needs('these too: the address that the group has inside'),
  ],
  ['env[].valueFrom.resourceFieldRef', 'emulated', 'a missing limit is what the group is granted'],
  ['env[].valueFrom.fileKeyRef', 'refused', 'a value from a file needs a process of ours in the container'],
  ['envFrom[].prefix', 'emulated', ''],
  [
    'envFrom[].configMapRef',
    'sent',
    'names that ACI does not take are left out, with an event',
    prepared.wants('with any name'),
  ],
  [
    'envFrom[].secretRef',
    'sent',
    'as secure values; names that ACI does not take are left out, with an event',
    prepared.wants('with any name'),
  ],
];

const mounts: readonly FieldRow[] = [
  ['volumeMounts[].name', 'sent', ''],
  ['volumeMounts[].mountPath', 'sent', 'without `:`'],
  ['volumeMounts[].readOnly', 'sent', ''],
  [
    'volumeMounts[].subPath',
    'emulated',
    'of an emptyDir that no container mounts as a whole: a volume for each folder; of any other volume the pod is refused',
    prepared.needs('of any volume: a folder is linked; a file is copied where the mount is read-only, else linked'),
  ],
  [
    'volumeMounts[].subPathExpr',
    'refused',
    'ACI mounts whole volumes only',
    prepared.needs('as `subPath`, with the variables of the container'),
  ],
  [
    'volumeMounts[].mountPropagation',
    'refused',
    'mounts do not travel between containers',
    { harmless: ['None', 'HostToContainer'] },
  ],
  [
    'volumeMounts[].recursiveReadOnly',
    'emulated',
    'there are no mounts below a volume',
    { only: ['Disabled', 'IfPossible', 'Enabled'], otherwise: 'Disabled, IfPossible or Enabled is expected' },
  ],
  ['volumeDevices', 'refused', 'ACI has no block devices'],
];

const resources: readonly FieldRow[] = [
  [
    'resources.requests.ephemeral-storage',
    'noted',
    'the group has 50 GB, shared and not reserved',
    { harmless: ['0'] },
  ],
  ['resources.requests.*', 'refused', noSuchResource, { harmless: ['0', 0] }],
  ['resources.limits.ephemeral-storage', 'noted', 'nobody is evicted for it; the group has 50 GB', { harmless: ['0'] }],
  ['resources.limits.*', 'refused', noSuchResource, { harmless: ['0', 0] }],
  ['resources.claims', 'refused', 'ACI has no devices to claim'],
];

const runtime: readonly FieldRow[] = [
  ['name', 'sent', ''],
  [
    'image',
    'sent',
    'verbatim, or by its digest where its registry was asked; a later change does not reach the group, and an event says so',
  ],
  [
    'command',
    'sent',
    'after expansion, joined with args',
    prepared.needs('also what a Secret or the address of the pod is expanded into'),
  ],
  [
    'args',
    'sent',
    "after expansion; without command behind the image's entrypoint, for which its registry is asked: the group gets the image by its digest then",
    prepared.needs('also what a Secret or the address of the pod is expanded into'),
  ],
  [
    'workingDir',
    'emulated',
    'the containers start in the directory that their image names: of another one the pod is refused',
    prepared.needs('any other one; it is made where it is missing'),
  ],
  [
    'imagePullPolicy',
    'emulated',
    'ACI always pulls; with `Never` the pod stays Pending (ErrImageNeverPull), because no image is ever present before the pull',
  ],
  ['startupProbe', 'refused', startup],
  ['lifecycle.preStop.sleep.seconds', 'emulated', sleep],
  ['lifecycle.preStop.exec', 'refused', hooks],
  ['lifecycle.preStop.httpGet', 'refused', hooks],
  ['lifecycle.preStop.tcpSocket', 'refused', hooks],
  ['lifecycle.postStart', 'refused', hooks],
  ['lifecycle.stopSignal', 'refused', hooks],
  ['stdin', 'refused', terminal, { harmless: [false] }],
  ['stdinOnce', 'refused', terminal, { harmless: [false] }],
  ['tty', 'refused', terminal, { harmless: [false] }],
  [
    'terminationMessagePath',
    'ignored',
    'files of a container can not be read; the message stays empty but for `FallbackToLogsOnError`',
    {
      only: ['/dev/termination-log'],
      otherwise: 'files of a container can not be read, so no message would arrive; leave the default',
    },
  ],
  [
    'terminationMessagePolicy',
    'emulated',
    'the end of the log (80 lines, 2,048 bytes) becomes the message of a container that fails, where it can be read at once',
    { harmless: ['File'], only: ['FallbackToLogsOnError'], otherwise: 'File or FallbackToLogsOnError is expected' },
  ],
  ['resizePolicy', 'ignored', 'resources of a running group are never changed'],
  ['restartPolicyRules', 'refused', 'ACI has one restart policy for the whole group'],
  ...environment,
  ...mounts,
  ...resources,
  ...containerSecurityFields,
];

const probeTimes = ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'successThreshold', 'failureThreshold'];

const containerOnly: readonly FieldRow[] = [
  ['livenessProbe.exec.command', 'sent', ''],
  ['livenessProbe.httpGet.path', 'sent', ''],
  ['livenessProbe.httpGet.port', 'sent', 'the number, where the port is named'],
  ['livenessProbe.httpGet.scheme', 'sent', ''],
  ['livenessProbe.httpGet.host', 'refused', byAgent('a probe of another host')],
  ['livenessProbe.httpGet.httpHeaders', 'refused', byAgent('a probe with headers')],
  ['livenessProbe.tcpSocket', 'refused', byAgent('a liveness probe by tcpSocket')],
  ['livenessProbe.grpc', 'refused', byAgent('a liveness probe by grpc')],
  ['livenessProbe.terminationGracePeriodSeconds', 'refused', byAgent('a grace period of a probe')],
  ...probeTimes.map((name): FieldRow => [`livenessProbe.${name}`, 'sent', '']),
  ['readinessProbe.httpGet.path', 'emulated', readiness],
  ['readinessProbe.httpGet.port', 'emulated', readiness],
  ['readinessProbe.httpGet.scheme', 'emulated', readiness],
  ['readinessProbe.httpGet.httpHeaders', 'emulated', readiness],
  ['readinessProbe.httpGet.host', 'refused', byAgent('a probe of another host')],
  ['readinessProbe.tcpSocket.port', 'emulated', readiness],
  ['readinessProbe.tcpSocket.host', 'refused', byAgent('a probe of another host')],
  ['readinessProbe.grpc.port', 'emulated', readiness],
  ['readinessProbe.grpc.service', 'emulated', readiness],
  ['readinessProbe.exec', 'refused', byAgent('a readiness probe by exec')],
  ['readinessProbe.terminationGracePeriodSeconds', 'refused', 'only liveness and startup probes have one'],
  ...probeTimes.map((name): FieldRow => [`readinessProbe.${name}`, 'emulated', readiness]),
  [
    'ports[].containerPort',
    'sent',
    'only with a subnet; at most 5 a pod, each number once, none of those that ACI keeps for itself: one that is not sent is reached all the same, and an event names it',
  ],
  ['ports[].protocol', 'sent', 'TCP and UDP; a port for SCTP is not declared, and an event names it'],
  ['ports[].name', 'ignored', 'names of ports are for services and probes'],
  ['ports[].hostPort', 'noted', "there is no host: the port is reached at the pod's own address", { harmless: [0] }],
  ['ports[].hostIP', 'noted', "there is no host: the port is reached at the pod's own address"],
  ['resources.requests.cpu', 'sent', 'rounded up to 0.01 cores; 0.1 when there is none'],
  ['resources.requests.memory', 'sent', 'rounded up to 0.1 GB; 0.1 GB when there is none'],
  ['resources.limits.cpu', 'sent', 'at most what the whole group requests; all of that when there is none'],
  ['resources.limits.memory', 'sent', 'at most what the whole group requests; all of that when there is none'],
  ['restartPolicy', 'refused', 'ACI has one restart policy for the whole group'],
];

const initOnly: readonly FieldRow[] = [
  ['livenessProbe', 'refused', 'only sidecars have one, which are not part of this version'],
  ['readinessProbe', 'refused', 'only sidecars have one, which are not part of this version'],
  ['ports', 'ignored', 'a container that runs to its end before the others serves nobody'],
  ['resources.requests.cpu', 'emulated', 'the group requests at least as much as its largest init container'],
  ['resources.requests.memory', 'emulated', 'the group requests at least as much as its largest init container'],
  ['resources.limits.cpu', 'emulated', 'an init container may use all of the group'],
  ['resources.limits.memory', 'emulated', 'an init container may use all of the group'],
  ['restartPolicy', 'refused', 'sidecars (init containers that go on running) are not part of this version'],
];

export const containerFields: readonly FieldRule[] = under('spec.containers[]', [...runtime, ...containerOnly]);

export const initContainerFields: readonly FieldRule[] = under('spec.initContainers[]', [...runtime, ...initOnly]);
