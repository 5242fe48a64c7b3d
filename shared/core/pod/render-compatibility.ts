import { annotationReaders, otherAnnotations, annotationPrefix, virtualNodePrefix } from './annotations/readers.ts';
import type { AnnotationReader } from './annotations/readers.ts';
import { compatibilityTable } from './compatibility.ts';
import type { FieldRule, Verdict } from './compatibility.ts';
import { kubectlPage } from './render-kubectl.ts';
import type { Strength } from '../agent/tier.ts';

const meanings: ReadonlyMap<Verdict, string> = new Map([
  ['sent', 'It is part of the container group.'],
  ['emulated', 'Its meaning is kept by other means.'],
  [
    'met',
    'Hardening only. It is not set inside the containers: the pod has a virtual machine of its own, which isolates it. One event names these fields; with the setting `SECURITY_POLICY=strict` the pod is refused instead.',
  ],
  ['noted', 'It has no effect. The pod runs, and one event names the field.'],
  ['ignored', 'No concern of a kubelet, or without effect on a pod that has a virtual machine to itself.'],
  [
    'refused',
    'The pod fails, with the path of the field in its message; where the agent gives it, only without the agent.',
  ],
]);

const strengths: Readonly<Record<Strength, string>> = {
  needs: '',
  wants: ', where there is one',
  takes: ', beside',
};

const sections: readonly (readonly [title: string, prefix: string])[] = [
  ['Pod', 'spec'],
  ['Security context of the pod', 'spec.securityContext'],
  ['Containers', 'spec.containers[]'],
  ['Init containers', 'spec.initContainers[]'],
  ['Volumes', 'spec.volumes[]'],
];

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** A table's cell can't hold a bar. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

function explanation({ reason, only, otherwise, harmless }: FieldRule): string {
  const most = 10;
  const values = only?.slice(0, most).map(code).join(', ') ?? '';
  const more = only !== undefined && only.length > most ? ' …' : '';
  const parts = [
    reason,
    ...(only === undefined ? [] : [`For ${values}${more}; any other value is refused: ${otherwise ?? reason}`]),
    ...(harmless === undefined ? [] : [`${harmless.map(code).join(', ')} asks for nothing`]),
  ];
  return parts.filter((part) => part !== '').join('. ');
}

function withAgent({ agent }: FieldRule): string {
  if (agent === undefined) return '';
  const { tier, strength, how } = agent;
  return `${tier}${strengths[strength]}: ${how}`;
}

const row = (rule: FieldRule, prefix: string): string =>
  `| \`${rule.path.slice(prefix.length + 1)}\` | ${rule.verdict} | ${cell(explanation(rule))} | ${cell(withAgent(rule))} |`;

/** The section with the longest prefix has the field. */
function sectionOf({ path }: FieldRule): string {
  const fitting = sections.map(([, prefix]) => prefix).filter((prefix) => path.startsWith(`${prefix}.`));
  return fitting.reduce((longest, prefix) => (prefix.length > longest.length ? prefix : longest), '');
}

function section([title, prefix]: readonly [string, string]): string {
  const rows = compatibilityTable.filter((rule) => sectionOf(rule) === prefix).map((rule) => row(rule, prefix));
  const heading = ['| Field | Verdict | What happens | With the agent |', '|---|---|---|---|'];
  return [`## ${title}: \`${prefix}\``, '', ...heading, ...rows, ''].join('\n');
}

const annotationRow = ({ names: [name, ...others], meaning, rule, example }: AnnotationReader): string => {
  const aliases = others.map((other) => `; also \`${other}\``).join('');
  return `| \`${name}\`${aliases} | ${cell(`${meaning}. Expected ${rule}`)} | \`${example.replaceAll('"', '')}\` |`;
};

function annotations(): string {
  return [
    '## Annotations',
    '',
    'What a PodSpec has no field for is said in an annotation of the pod, by the name that azure-aci or virtual nodes v2 have for it where',
    `they have one. A wrong value is refused with the name, the rule and an example; so is a name below \`${annotationPrefix}\` or`,
    `\`${virtualNodePrefix}\` that is not in this list, so that a typo does not go unseen. Annotations count when the group is made; a change of a`,
    'running pod has no effect. Grants, without which nothing may be named that the installation owns: [security.md](security.md#what-pods-may-name-grants).',
    '',
    '| Annotation | What it does | Example |',
    '|---|---|---|',
    ...annotationReaders.map(annotationRow),
    ...otherAnnotations.map(({ name, meaning }) => `| \`${name}\` | ${cell(meaning)} | |`),
    '',
  ].join('\n');
}

const introduction = `# What becomes of a pod

A pod that is bound to one of the nodes runs as one container group of Azure Container Instances (ACI). ACI knows less than
Kubernetes, so each field of the pod's specification has a verdict. Nothing is dropped silently: a field that is not in these
tables, and is not empty, is refused by name. The tables are made from the code that judges the pods (\`shared/core/pod/compatibility.ts\`).

A refused pod gets the phase \`Failed\`, a reason, and a message that names the field; so does \`kubectl describe\`. A pod of a
DaemonSet stays \`Pending\` instead, because it would be made again for ever. One of a ReplicaSet or StatefulSet, which would be
made again at once, has its event at once and fails 5 minutes after it was made.

| Verdict | Meaning |
|---|---|
`;

const rules = `
## Beyond single fields

* **Size.** A container without a request gets its limit, or else 0.1 cores and 0.1 GB. Requests are rounded up to 0.01 cores and
  0.1 GB (of 10⁹ bytes). A group has at least 1 core and 1 GB, and as much as its largest init container; what is missing goes to the
  first container. A container may use up to its limit, or, without one, all that its group requests; a limit above that is
  lowered, with an event. A pod above the largest group (31 cores, 240 GB) is refused.
* **The agent** is a program of ours that prepares the group and, in tier T2, stays beside the programs ([tiers](explain.md#tiers)).
  The last column of the tables is what it makes of a field. \`T1\` or \`T2\`: a pod that asks for it has the agent, and is refused
  where there is none. \`where there is one\`: it has the agent for it too, and without it the verdict holds. \`beside\`: it is given
  to a pod that has the agent for something else, and under \`SECURITY_POLICY=strict\` a pod has the agent for it. An image that
  insists on being process 1 (\`/init\`, \`/sbin/init\`, systemd) has nothing beside it, so what is T2 of its container is refused. A
  pod whose init containers come after a sidecar has them run as ordinary containers of the group, which wait for each other.
* **Number.** At most 60 containers with the init containers, and 20 mounted volumes, each folder counted. The agent has an init
  container of its own, three volumes, and one more for each container whose program it starts.
* **Host name.** ACI gives every group a host name of its own. Names that a pod asks for (a StatefulSet's and an indexed Job's do) are
  noted: the program finds ACI's name in \`hostname\` and \`/etc/hostname\`, and other pods do not find it by its own. With the agent
  the name is in \`/etc/hostname\`, \`HOSTNAME\` and, where a container of the pod starts as root, \`/etc/hosts\`; there a pod that
  asks for none has its own name in all three, as a kubelet gives it. A Job's index is in \`JOB_COMPLETION_INDEX\`.
* **Ports.** In a subnet a port is reached at the pod's address whether ACI was reported it or not, as far as is known
  ([aci.md](aci.md#limits-of-a-group)), so more than five, those that ACI keeps for itself, one number for two protocols or two
  containers, and SCTP are no reason to refuse a pod: the event \`PortsNotDeclared\` names them.
* **Names.** In a subnet, where \`attach\` has registered the cluster's DNS, a pod asks that alone, with the search domains and options
  of a kubelet; a pod with Azure Files asks Azure's resolver besides, which its mount needs (\`AzureDNSAdded\`). Elsewhere a group asks
  Azure's resolver, or in a subnet what \`dnsConfig\` and \`dnsPolicy: None\` say. What is more than ACI takes is left out, with a
  kubelet's event \`DNSConfigForming\`.
* **Services.** In a subnet, where \`attach\` has registered it, ACI's kube-proxy routes ClusterIPs in each group ([deploy.md](deploy.md#names-and-services)).
  Whether it does so while init containers run is not known: \`InitContainersMayLackServices\` says so of a pod that has some.
* **What pods use.** \`kubectl top\`, autoscalers and Prometheus are answered by the relay, where metrics-server runs in the cluster. In a subnet ACI's \`realtime-metrics\` says it at once; without a subnet, in Confidential and in Spot groups, and where an
  annotation or \`REALTIME_METRICS=off\` is against it, Azure Monitor does, two to four minutes late. CPU and memory by container, network by pod in a subnet; no file systems, no volumes. A pod that does not answer is left out, and no other.
* **Deletion.** \`preStop.sleep\` is waited for before the group is stopped, within the grace period; other hooks are the agent's.
  Where containers have it, it ends them at the app's word: hook, signal, the rest of the grace, SIGKILL; their true ends are the last status. A pod whose
  own script handles SIGTERM (\`trap … TERM\`, \`SIGTERM\` in \`command\` or \`args\`) has the agent for it.
* **Logs.** ACI has the log of a container's present run, and until the next one begins that of the run before, which \`kubectl logs
  --previous\` shows then. Of a container that runs again the agent has kept the end, 512 KiB, where it stays beside the program (T2) and
  the container has \`terminationMessagePolicy: FallbackToLogsOnError\`; otherwise \`--previous\` says that nobody has it.
* **Network.** In a subnet every pod has a private address; one that names no port is given port 80, because ACI wants one. Without
  a subnet a pod has no address at all, and an event says so if it names ports: a public one would show it to the Internet.
  \`KUBERNETES_SERVICE_HOST\` is the address that \`attach\` registered.
* **Environment.** Order and expansion are the kubelet's. A value that holds a secret, also by expansion, is a secure value; one that
  would be expanded into \`command\` or \`args\` is refused, because these can be read in Azure. Names that ACI does not take are
  refused in \`env\`, and left out with an event in \`envFrom\`. The agent gets all of these in a secret volume, and what only the
  group knows, the pod's address, is put in there.
* **Files.** ConfigMaps, Secrets, tokens and the downward API are files as they are when the group is created: later changes do not
  arrive, tokens are not renewed. Where the agent stays beside a program (T2), volumes that a container mounts as a whole follow what
  they are made of within two minutes, as with a kubelet: all files of a volume at once (\`..data\`), and those of before where something
  that is required is missing. ClusterTrustBundles alone change nothing; a \`subPath\` never changes.
  One for the API server lives as long as that gives: a year, or 24 h on AKS with its OIDC issuer. An event reports each token of less
  than 30 days that its pod may outlive. A volume that no container mounts is left out.
* **Folders.** The agent builds them. Without it: a volume of ACI holds files, and whether it mounts one inside another is not known.
  So each folder of a ConfigMap, Secret, downward API or projected volume is a volume of its own, where no file is in the root, no
  folder inside another, and no mount of a container inside or around one of them; else the pod is refused. What the image has beside
  these folders is not hidden, and a folder all of whose files are optional and missing is there, and empty.
* **Shares.** Azure Files is mounted over SMB, with the key of the storage account that the volume's Secret holds: named by the pod, or
  by a claim and its volume, in-tree or of \`file.csi.azure.com\`. The pod waits for its claim and the Secret as with a kubelet
  (\`FailedMount\`). A volume that names no Secret a node may read, a disk, NFS and a folder of a share are refused. Files have the
  owner and modes that ACI gives them.
* **Images.** Credentials are sent for the registries that the pod's images come from, one for each. A pull secret that is missing
  is reported in an event, and the pull is tried without it. A name that no registry can have (\`InvalidImageName\`) and
  \`imagePullPolicy: Never\` (\`ErrImageNeverPull\`) keep the pod \`Pending\` until the image is changed, as with a kubelet.
* **Entrypoint.** \`args\` without \`command\` follow the entrypoint of the image, for which the app asks its registry: with the pod's pull
  secrets, for registries of Azure also as the pull identity, else as nobody. The group runs that image by its digest. While a
  registry does not say, the pod waits with \`ErrImagePull\` or \`ImagePullBackOff\`. No address of a private network is asked
  unless a setting names the registry.
* **The end.** What ended by itself has its exit code and times. ACI reports none of a container that it is asked to stop, by
  \`activeDeadlineSeconds\` or a deletion: it is \`ContainerStatusUnknown\` with 137 and without a time, and the message says why.
* **Logs.** They are ACI's: up to 4 MB of a running container, 16 KB or 1,000 lines of an ended one. Where a group goes before its
  pod, at \`activeDeadlineSeconds\` or because its quota is needed, its log is kept until the pod is gone (4 MB for all of its
  containers); what is written after the stop was sent may be missing. A deleted pod's log ends with its stop.
  A log that is cut has no mark in itself, since a program may parse it: the event \`LogCut\` reports it.
* **Ephemeral containers** (\`kubectl debug\`) are shown as \`StartError\`: \`kubectl debug\` and \`kubectl logs\` say that a group
  takes no further container.
* **Waiting.** A ConfigMap, Secret or key that is missing and not optional keeps the pod \`Pending\`
  (\`CreateContainerConfigError\`; for a volume \`ContainerCreating\` and the event \`FailedMount\`) until it is there.

`;

/** The text of \`docs/compatibility.md\`. */
export function renderCompatibility(): string {
  const verdicts = [...meanings].map(([verdict, meaning]) => `| ${verdict} | ${meaning} |`).join('\n');
  return `${introduction}${verdicts}\n${rules}${kubectlPage}${sections.map(section).join('\n')}\n${annotations()}`;
}
