import { describe, expect, it } from 'vitest';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { facts, podOf, rawContainer, withContainer } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const container = (more: Raw): Raw => ({ containers: [rawContainer(more)] });
const env = (...variables: Raw[]): Raw => container({ env: variables });
const volume = (source: Raw): Raw => ({ volumes: [{ name: 'data', ...source }] });
const security = (more: Raw): Raw => container({ securityContext: more });
const probe = { exec: { command: ['true'] } };
const many = (count: number, make: (index: number) => Raw): Raw[] =>
  Array.from({ length: count }, (_, index) => make(index));
const ports = (...numbers: number[]): Raw[] => numbers.map((containerPort) => ({ containerPort, protocol: 'TCP' }));

describe('a pod passes', () => {
  it.each<[string, Raw]>([
    ['with all that the API server fills in', {}],
    ['with a command', container({ command: ['sh', '-c', 'true'] })],
    ['with a command and arguments', container({ command: ['sh'], args: ['-c', 'true'] })],
    [
      'with what only the scheduler reads',
      {
        nodeSelector: { a: 'b' },
        affinity: { nodeAffinity: {} },
        topologySpreadConstraints: [{ maxSkew: 1 }],
        priorityClassName: 'high',
        overhead: { cpu: '0' },
      },
    ],
    [
      'with every field off that it may name',
      {
        hostNetwork: false,
        hostPID: false,
        hostIPC: false,
        hostUsers: true,
        shareProcessNamespace: false,
        setHostnameAsFQDN: false,
      },
    ],
    ['for linux', { os: { name: 'linux' } }],
    [
      'with a security context of defaults',
      security({
        privileged: false,
        allowPrivilegeEscalation: true,
        readOnlyRootFilesystem: false,
        runAsNonRoot: false,
        procMount: 'Default',
        seccompProfile: { type: 'Unconfined' },
      }),
    ],
    [
      'adding a capability that every group has',
      security({ capabilities: { add: ['NET_BIND_SERVICE', 'CAP_CHOWN'] } }),
    ],
    ['with service ports that are unnamed and off', container({ ports: [{ containerPort: 80, hostPort: 0 }] })],
    ['with extended resources of zero', container({ resources: { limits: { 'nvidia.com/gpu': '0' } } })],
    ['with an image that is pulled if not present', container({ imagePullPolicy: 'IfNotPresent' })],
    [
      'with emptyDir, ConfigMap and Secret',
      {
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'b', configMap: { name: 'x', defaultMode: 420 } },
          { name: 'c', secret: { secretName: 'y', defaultMode: 420, optional: true } },
        ],
      },
    ],
    ['of just the largest size', container({ resources: { requests: { cpu: '31', memory: '240G' } } })],
  ])('%s', (_, spec) => {
    expect(inspectPod(podOf(spec), facts).refusal).toBeUndefined();
  });
});

describe('a pod is refused', () => {
  it.each<[string, Raw, string]>([
    ['with a field that nobody knows', { colour: 'red' }, 'spec.colour'],
    ['with an unknown flag that is off, which may still mean something', { colourful: false }, 'spec.colourful'],
    ['with an unknown field of a container', container({ colour: 'red' }), 'spec.containers[0].colour'],
    ['with hostNetwork', { hostNetwork: true }, 'spec.hostNetwork'],
    ['with hostPID', { hostPID: true }, 'spec.hostPID'],
    ['with hostIPC', { hostIPC: true }, 'spec.hostIPC'],
    ['with a user namespace', { hostUsers: false }, 'spec.hostUsers'],
    ['with a shared process namespace', { shareProcessNamespace: true }, 'spec.shareProcessNamespace'],
    ['with hostPath', volume({ hostPath: { path: '/' } }), 'spec.volumes[0].hostPath'],
    ['with a volume of no known kind', volume({ teapot: {} }), 'spec.volumes[0].teapot'],
    [
      'with further groups',
      { securityContext: { supplementalGroups: [5] } },
      'spec.securityContext.supplementalGroups',
    ],
    ['privileged', security({ privileged: true }), 'spec.containers[0].securityContext.privileged'],
    [
      'adding a capability',
      security({ capabilities: { add: ['SYS_ADMIN'] } }),
      'spec.containers[0].securityContext.capabilities.add[0]',
    ],
    [
      'with a local seccomp profile',
      security({ seccompProfile: { type: 'Localhost', localhostProfile: 'x' } }),
      'spec.containers[0].securityContext.seccompProfile.type',
    ],
    ['with sysctls', { securityContext: { sysctls: [{ name: 'a', value: '1' }] } }, 'spec.securityContext.sysctls'],
    [
      'with a liveness probe of a port',
      container({ livenessProbe: { tcpSocket: { port: 80 } } }),
      'spec.containers[0].livenessProbe.tcpSocket',
    ],
    [
      'with headers in a probe',
      container({ livenessProbe: { httpGet: { port: 80, httpHeaders: [{ name: 'a', value: 'b' }] } } }),
      'spec.containers[0].livenessProbe.httpGet.httpHeaders',
    ],
    [
      'with a probe of a port that is not there',
      container({ livenessProbe: { httpGet: { port: 'web' } }, ports: [{ name: 'http', containerPort: 80 }] }),
      'spec.containers[0].livenessProbe.httpGet.port',
    ],
    [
      'with a readiness probe and no subnet',
      container({ readinessProbe: { tcpSocket: { port: 80 } } }),
      'spec.containers[0].readinessProbe',
    ],
    ['with a startup probe', container({ startupProbe: probe }), 'spec.containers[0].startupProbe'],
    ['with a hook', container({ lifecycle: { preStop: probe } }), 'spec.containers[0].lifecycle.preStop.exec'],
    [
      'with a sidecar',
      { initContainers: [rawContainer({ name: 'side', restartPolicy: 'Always' })] },
      'spec.initContainers[0].restartPolicy',
    ],
    [
      'with restart rules',
      container({ restartPolicyRules: [{ action: 'Restart' }] }),
      'spec.containers[0].restartPolicyRules',
    ],
    ['with a terminal', container({ tty: true }), 'spec.containers[0].tty'],
    [
      'with an own path of the termination message',
      container({ terminationMessagePath: '/x' }),
      'spec.containers[0].terminationMessagePath',
    ],
    [
      'with a dot in the name of a variable',
      env({ name: 'A', value: '1' }, { name: 'a.b', value: '1' }),
      'spec.containers[0].env[1].name',
    ],
    ['with a dash in the name of a variable', env({ name: 'A-B', value: '1' }), 'spec.containers[0].env[0].name'],
    ['with a long name of a variable', env({ name: 'A'.repeat(64), value: '1' }), 'spec.containers[0].env[0].name'],
    [
      'asking for its IP before it has one',
      env({ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }),
      'spec.containers[0].env[0].valueFrom.fieldRef',
    ],
    [
      'asking for its IPs before it has them',
      env({ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } }),
      'spec.containers[0].env[0].valueFrom.fieldRef',
    ],
    [
      'asking for a field that nobody knows',
      env({ name: 'X', valueFrom: { fieldRef: { fieldPath: 'spec.colour' } } }),
      'spec.containers[0].env[0].valueFrom.fieldRef',
    ],
    [
      'asking for huge pages',
      env({ name: 'X', valueFrom: { resourceFieldRef: { resource: 'limits.hugepages-2Mi' } } }),
      'spec.containers[0].env[0].valueFrom.resourceFieldRef',
    ],
    [
      'with a variable from a file',
      env({ name: 'X', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'p', key: 'k' } } }),
      'spec.containers[0].env[0].valueFrom.fileKeyRef',
    ],
    [
      'with a GPU',
      container({ resources: { limits: { 'nvidia.com/gpu': '1' } } }),
      'spec.containers[0].resources.limits[nvidia.com/gpu]',
    ],
    [
      'with a claim for a device',
      container({ resources: { claims: [{ name: 'x' }] } }),
      'spec.containers[0].resources.claims',
    ],
    ['with resources of the whole pod', { resources: { requests: { cpu: '1' } } }, 'spec.resources'],
    [
      'with what is no quantity',
      container({ resources: { requests: { cpu: 'much' } } }),
      'spec.containers[0].resources.requests.cpu',
    ],
    [
      'above the largest group',
      container({ resources: { requests: { cpu: '32' } } }),
      'spec.containers[*].resources.requests.cpu',
    ],
    [
      'above the largest group by an init container',
      { initContainers: [rawContainer({ name: 'i', resources: { requests: { memory: '241G' } } })] },
      'spec.containers[*].resources.requests.memory',
    ],
    [
      'above the storage of a group',
      container({ resources: { requests: { 'ephemeral-storage': '51G' } } }),
      'spec.containers[*].resources.requests.ephemeral-storage',
    ],
    ['with 61 containers', { containers: many(61, (index) => rawContainer({ name: `c${index}` })) }, 'spec.containers'],
    [
      'with 21 volumes',
      {
        volumes: many(21, (index) => ({ name: `v${index}`, emptyDir: {} })),
        ...container({ volumeMounts: many(21, (index) => ({ name: `v${index}`, mountPath: `/v${index}` })) }),
      },
      'spec.volumes',
    ],
    [
      'with a colon in a mount path',
      { ...volume({ emptyDir: {} }), ...container({ volumeMounts: [{ name: 'data', mountPath: '/a:b' }] }) },
      'spec.containers[0].volumeMounts[0].mountPath',
    ],
    [
      'with a file of a ConfigMap by subPath',
      {
        ...volume({ configMap: { name: 'c' } }),
        ...container({ volumeMounts: [{ name: 'data', mountPath: '/a', subPath: 'b' }] }),
      },
      'spec.containers[0].volumeMounts[0].subPath',
    ],
    [
      'mounting what is not there',
      container({ volumeMounts: [{ name: 'data', mountPath: '/a' }] }),
      'spec.containers[0].volumeMounts[0].name',
    ],
    [
      'with a folder beside files of a volume',
      volume({
        configMap: {
          name: 'x',
          items: [
            { key: 'a', path: 'a' },
            { key: 'a', path: 'b/c' },
          ],
        },
      }),
      'spec.volumes[0].configMap.items[1].path',
    ],
    [
      'with a folder inside a projection',
      volume({ projected: { sources: [{ serviceAccountToken: { path: 'a/b' } }, { configMap: { name: 'x' } }] } }),
      'spec.volumes[0].projected.sources[0].serviceAccountToken.path',
    ],
    [
      'with a certificate of its own',
      volume({ projected: { sources: [{ podCertificate: { signerName: 'a' } }] } }),
      'spec.volumes[0].projected.sources[0].podCertificate',
    ],
    ['with huge pages as a volume', volume({ emptyDir: { medium: 'HugePages' } }), 'spec.volumes[0].emptyDir.medium'],
    ['with host aliases', { hostAliases: [{ ip: '1.2.3.4', hostnames: ['x'] }] }, 'spec.hostAliases'],
    ['with a runtime class', { runtimeClassName: 'kata' }, 'spec.runtimeClassName'],
    ['for windows', { os: { name: 'windows' } }, 'spec.os.name'],
  ])('%s', (_, spec, field) => {
    const { refusal } = inspectPod(podOf(spec), facts);
    expect(refusal?.field).toBe(field);
    expect(refusal?.message.startsWith(`${field}: `)).toBe(true);
  });

  it.each<[string, Raw, string]>([
    ['SysctlForbidden', { securityContext: { sysctls: [{ name: 'a', value: '1' }] } }, 'spec.securityContext.sysctls'],
    ['PodOSNotSupported', { os: { name: 'windows' } }, ''],
    ['OutOfcpu', container({ resources: { requests: { cpu: '32' } } }), ''],
    ['OutOfmemory', container({ resources: { requests: { memory: '241G' } } }), ''],
    ['UnsupportedPodSpec', { hostNetwork: true }, ''],
  ])('with the reason %s', (reason, spec) => {
    expect(inspectPod(podOf(spec), facts).refusal?.reason).toBe(reason);
  });

  it('for an annotation of ours that is not known', () => {
    const pod = podOf({}, { annotations: { 'serverless-kubelet.io/colour': 'red' } });
    expect(inspectPod(pod, facts).refusal?.field).toBe('metadata.annotations[serverless-kubelet.io/colour]');
    expect(inspectPod(podOf({}, { annotations: { 'example.com/colour': 'red' } }), facts).refusal).toBeUndefined();
  });

  it('in one sentence that names the other fields too', () => {
    const { refusal } = inspectPod(
      podOf({ hostNetwork: true, hostPID: true, ...volume({ hostPath: { path: '/' } }) }),
      facts,
    );
    expect(refusal?.message).toBe(
      'spec.hostNetwork: there is no host to share it with; refused too: spec.hostPID, spec.volumes[0].hostPath',
    );
  });
});

describe('hardening that the virtual machine gives anyway', () => {
  const pod = withContainer(
    {
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    },
    { securityContext: { seccompProfile: { type: 'RuntimeDefault' }, appArmorProfile: { type: 'RuntimeDefault' } } },
  );

  it('is reported once', () => {
    const { refusal, notices } = inspectPod(pod, facts);
    expect(refusal).toBeUndefined();
    expect(notices.map(({ reason }) => reason)).toEqual(['MetByIsolation']);
    expect(notices[0]?.message).toContain('spec.containers[0].securityContext.capabilities.drop');
    expect(notices[0]?.message).toContain('spec.securityContext.appArmorProfile.type');
  });

  it('is refused under the strict policy', () => {
    const { refusal } = inspectPod(pod, { ...facts, securityPolicy: 'strict' });
    expect(refusal?.message).toContain('SECURITY_POLICY is strict');
  });
});

describe('an event says that', () => {
  it.each<[string, Raw, string, string]>([
    [
      'memory volumes are on disk',
      volume({ emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }),
      'FieldWithoutEffect',
      'spec.volumes[0].emptyDir.medium',
    ],
    [
      'modes of files are not kept',
      volume({ secret: { secretName: 'x', defaultMode: 256 } }),
      'FieldWithoutEffect',
      'spec.volumes[0].secret.defaultMode',
    ],
    [
      'an ephemeral container is not started',
      { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] },
      'FieldWithoutEffect',
      'spec.ephemeralContainers',
    ],
    [
      'a limit was lowered',
      container({ resources: { requests: { cpu: '100m' }, limits: { cpu: '4' } } }),
      'LimitAboveGroup',
      'spec.containers[0].resources.limits.cpu',
    ],
    ["a host name is ACI's", { hostname: 'db-0', subdomain: 'db' }, 'FieldWithoutEffect', 'spec.subdomain: ACI names'],
    [
      'there is no host whose port could be taken',
      container({ ports: [{ containerPort: 80, hostPort: 8080, hostIP: '10.0.0.4' }] }),
      'FieldWithoutEffect PortsUnreachable',
      'spec.containers[0].ports[0].hostPort, spec.containers[0].ports[0].hostIP: there is no host',
    ],
    ['ports can not be reached', container({ ports: ports(80) }), 'PortsUnreachable', 'spec.containers[*].ports'],
  ])('%s', (_, spec, reason, field) => {
    const { refusal, notices } = inspectPod(podOf(spec), facts);
    expect(refusal).toBeUndefined();
    expect(notices.map((notice) => notice.reason).join(' ')).toBe(reason);
    expect(notices[0]?.message).toContain(field);
  });
});
