import { beside, prepared } from '../../agent/gift.ts';
import { under } from './field-rule.ts';
import type { FieldRow, FieldRule } from './field-rule.ts';
import { containerSecurityFields } from './security-fields.ts';

const readiness = "the relay probes the pod's address; only with a subnet";
const besideIt = 'ACI has none, nor anything beside a container that could do it';
const notByAci = (probe: string): string => `ACI can't make ${probe}`;
const ofPodAlone = "the relay probes the pod's own address alone";
const again = beside.needs('the agent starts the program again, with the back-off of a kubelet');
const onePolicy = 'ACI has one restart policy for the whole group';
const probed = beside.needs('as a kubelet does, from inside the group');
const hooked = beside.needs('as a kubelet does');
const sleep = 'the app waits so long at a deletion, within the grace period, before it stops the group';
const noHook = 'a kubelet can not run it either';
const terminal = 'ACI gives a container neither a terminal nor an input';
const attached = { harmless: [false], ...beside.needs('for `kubectl attach`, and as the program finds it') };
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
  ['startupProbe', 'refused', 'ACI has no probe that holds the others back', probed],
  ['lifecycle.preStop.sleep.seconds', 'emulated', sleep, beside.takes('by the agent of the container')],
  ['lifecycle.preStop.exec', 'refused', besideIt, hooked],
  ['lifecycle.preStop.httpGet', 'refused', besideIt, hooked],
  ['lifecycle.preStop.tcpSocket', 'refused', noHook],
  ['lifecycle.postStart.exec', 'refused', besideIt, hooked],
  ['lifecycle.postStart.httpGet', 'refused', besideIt, hooked],
  ['lifecycle.postStart.sleep', 'refused', besideIt, hooked],
  ['lifecycle.postStart.tcpSocket', 'refused', noHook],
  ['lifecycle.stopSignal', 'refused', 'ACI ends a container by a signal of its own', hooked],
  ['stdin', 'refused', terminal, attached],
  ['stdinOnce', 'refused', terminal, attached],
  ['tty', 'refused', terminal, attached],
  [
    'terminationMessagePath',
    'ignored',
    'files of a container can not be read; the message stays empty but for `FallbackToLogsOnError`',
    {
      only: ['/dev/termination-log'],
      otherwise: 'files of a container can not be read, so no message would arrive; leave the default',
      ...beside.needs(
        'any path: 4,096 bytes of it become the message. A pod that names its path in a command or variable gets the agent for it',
      ),
    },
  ],
  [
    'terminationMessagePolicy',
    'emulated',
    'the end of the log (80 lines, 2,048 bytes) becomes the message of a container that fails, where it can be read at once',
    { harmless: ['File'], only: ['FallbackToLogsOnError'], otherwise: 'File or FallbackToLogsOnError is expected' },
  ],
  ['resizePolicy', 'ignored', 'resources of a running group are never changed'],
  ['restartPolicyRules', 'refused', onePolicy, again],
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
  ['livenessProbe.httpGet.host', 'refused', notByAci('a probe of another host'), probed],
  ['livenessProbe.httpGet.httpHeaders', 'refused', notByAci('a probe with headers'), probed],
  ['livenessProbe.tcpSocket', 'refused', notByAci('a liveness probe by tcpSocket'), probed],
  ['livenessProbe.grpc', 'refused', notByAci('a liveness probe by grpc'), probed],
  ['livenessProbe.terminationGracePeriodSeconds', 'refused', 'ACI knows no grace period of a probe', probed],
  ...probeTimes.map((name): FieldRow => [`livenessProbe.${name}`, 'sent', '']),
  ['readinessProbe.httpGet.path', 'emulated', readiness],
  ['readinessProbe.httpGet.port', 'emulated', readiness],
  ['readinessProbe.httpGet.scheme', 'emulated', readiness],
  ['readinessProbe.httpGet.httpHeaders', 'emulated', readiness],
  ['readinessProbe.httpGet.host', 'refused', ofPodAlone, probed],
  ['readinessProbe.tcpSocket.port', 'emulated', readiness],
  ['readinessProbe.tcpSocket.host', 'refused', ofPodAlone, probed],
  ['readinessProbe.grpc.port', 'emulated', readiness],
  ['readinessProbe.grpc.service', 'emulated', readiness],
  ['readinessProbe.exec', 'refused', 'nobody outside of the container can make it', probed],
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
  ['restartPolicy', 'refused', onePolicy, again],
];

const ofSidecars = 'only sidecars have one, and init containers of ACI run to their end';

const initOnly: readonly FieldRow[] = [
  ['livenessProbe', 'refused', ofSidecars, probed],
  ['readinessProbe', 'refused', ofSidecars, probed],
  ['ports', 'ignored', 'a container that runs to its end before the others serves nobody'],
  ['resources.requests.cpu', 'emulated', 'the group requests at least as much as its largest init container'],
  ['resources.requests.memory', 'emulated', 'the group requests at least as much as its largest init container'],
  ['resources.limits.cpu', 'emulated', 'an init container may use all of the group'],
  ['resources.limits.memory', 'emulated', 'an init container may use all of the group'],
  [
    'restartPolicy',
    'refused',
    'init containers of ACI run to their end, one after the other',
    {
      ...beside.needs(
        'Always: from the first sidecar on all are ordinary containers, which the agents start and end in the order of a kubelet',
      ),
      agentWhen: (value) => value === 'Always',
    },
  ],
];

export const containerFields: readonly FieldRule[] = under('spec.containers[]', [...runtime, ...containerOnly]);

export const initContainerFields: readonly FieldRule[] = under('spec.initContainers[]', [...runtime, ...initOnly]);
