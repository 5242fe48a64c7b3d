import { beside, prepared } from '../../agent/gift.ts';
import { under } from './field-rule.ts';
import type { FieldRule } from './field-rule.ts';

const scheduling = 'the scheduler has read it before the pod came to the node';
const admission = 'admission has acted on it before the pod came to the node';
const off = { harmless: [false] };
const noHost = 'there is no host to share it with';
const hostName =
  "ACI names the host of a group itself, and the program finds that name; others find the pod by its own only where they ask the cluster's DNS";
const ownName = prepared.wants('in /etc/hosts, /etc/hostname and `HOSTNAME`; `gethostname()` finds the name of ACI', {
  concerns: 'main',
  rest: 'gethostname() and hostname(1) find the name of ACI',
});

export const podFields: readonly FieldRule[] = under('spec', [
  ['nodeName', 'ignored', scheduling],
  ['nodeSelector', 'ignored', scheduling],
  ['affinity', 'ignored', scheduling],
  ['tolerations', 'ignored', scheduling],
  ['topologySpreadConstraints', 'ignored', scheduling],
  ['schedulerName', 'ignored', scheduling],
  ['schedulingGates', 'ignored', scheduling],
  ['schedulingGroup', 'ignored', scheduling],
  ['workloadRef', 'ignored', scheduling],
  ['priority', 'ignored', scheduling],
  ['priorityClassName', 'ignored', scheduling],
  ['preemptionPolicy', 'ignored', scheduling],
  ['overhead', 'ignored', scheduling],
  ['serviceAccount', 'ignored', 'the older name of serviceAccountName'],
  ['serviceAccountName', 'emulated', 'its tokens are requested for the projected volumes'],
  ['automountServiceAccountToken', 'ignored', admission],
  ['imagePullSecrets', 'sent', 'only the credentials of registries that images of the pod come from'],
  ['restartPolicy', 'sent', ''],
  ['activeDeadlineSeconds', 'emulated', 'the app ends the group'],
  [
    'terminationGracePeriodSeconds',
    'emulated',
    'as far as ACI can: it has no grace of its own',
    {
      ...beside.wants(
        'kept, from the hook to the last signal; more than the 30 s that all pods have is a reason for the agent',
      ),
      agentWhen: (value) => typeof value === 'number' && value > 30,
    },
  ],
  ['enableServiceLinks', 'emulated', 'environment variables of the services that exist when the group is created'],
  [
    'os.name',
    'emulated',
    'groups run Linux',
    { only: ['linux'], otherwise: 'groups run Linux', refusalReason: 'PodOSNotSupported' },
  ],
  [
    'dnsPolicy',
    'emulated',
    "in a subnet, where `attach` has registered the cluster's DNS, as with a kubelet; else all but `None` ask Azure's resolver",
    {
      only: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
      otherwise: 'ClusterFirst, ClusterFirstWithHostNet, Default or None is expected',
    },
  ],
  [
    'dnsConfig',
    'sent',
    'only with a subnet; merged with what the policy gives; 3 name servers, 6 search domains of 256 characters',
  ],
  ['ephemeralContainers', 'noted', 'a container can not be added to a group; the others go on running'],
  ['hostNetwork', 'refused', noHost, off],
  ['hostPID', 'refused', noHost, off],
  ['hostIPC', 'refused', noHost, off],
  ['hostUsers', 'refused', "ACI can't make user namespaces", { harmless: [true] }],
  ['hostAliases', 'refused', "ACI can't add lines to /etc/hosts", prepared.needs('lines in /etc/hosts')],
  ['hostname', 'noted', hostName, ownName],
  ['hostnameOverride', 'noted', hostName, ownName],
  ['subdomain', 'noted', hostName, ownName],
  ['setHostnameAsFQDN', 'noted', hostName, { ...off, ...ownName }],
  ['shareProcessNamespace', 'refused', 'each container has processes of its own', off],
  ['readinessGates', 'emulated', 'Ready waits for the conditions, as a kubelet does'],
  ['runtimeClassName', 'refused', 'runtime classes are not part of this version'],
  ['resources', 'refused', 'resources of the whole pod are not part of this version; give each container its own'],
  ['resourceClaims', 'refused', 'ACI has no devices to claim'],
]);
