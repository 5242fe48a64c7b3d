/** For each field that the admission policy can see being refused, pods that have it: as fragments of a pod's spec. */

type Fragment = Readonly<Record<string, unknown>>;

const claim = { name: 'd', resourceClaimName: 'd' };

/** Members of the pod's spec. */
const pods: readonly Fragment[] = [
  { os: { name: 'windows' } },
  { hostNetwork: true },
  { hostPID: true },
  { hostIPC: true },
  { hostUsers: false },
  { hostAliases: [{ ip: '10.0.0.4', hostnames: ['a'] }] },
  { shareProcessNamespace: true },
  { runtimeClassName: 'sandbox' },
  { resources: { requests: { cpu: '1' } } },
  { resourceClaims: [claim] },
  { securityContext: { seLinuxOptions: { level: 's0' } } },
  { securityContext: { windowsOptions: { runAsUserName: 'a' } } },
  { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a' } } },
  { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'a' } } },
  { securityContext: { supplementalGroups: [2], supplementalGroupsPolicy: 'Strict' } },
  { securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] } },
];

const probe = { tcpSocket: { port: 80 } };
const hook = { exec: { command: ['a'] } };
const mount = { name: 'v', mountPath: '/v' };
const volume = { name: 'v', emptyDir: {} };

/** Members of the container, and what the pod needs for them to be valid. */
const containers: readonly (readonly [container: Fragment, spec?: Fragment])[] = [
  [{ livenessProbe: probe, readinessProbe: probe, startupProbe: probe }],
  [{ livenessProbe: { grpc: { port: 80 } }, readinessProbe: { exec: { command: ['a'] } } }],
  [{ readinessProbe: { httpGet: { port: 80, host: 'a' } } }],
  [{ readinessProbe: { tcpSocket: { port: 80, host: 'a' } } }],
  [{ livenessProbe: { httpGet: { port: 80, host: 'a', httpHeaders: [{ name: 'a', value: 'b' }] } } }],
  [{ livenessProbe: { exec: { command: ['a'] }, terminationGracePeriodSeconds: 5 } }],
  [{ lifecycle: { preStop: hook, postStart: hook } }],
  [{ lifecycle: { preStop: { httpGet: { port: 80 } } } }],
  [{ lifecycle: { preStop: { tcpSocket: { port: 80 } }, postStart: { tcpSocket: { port: 80 } } } }],
  [{ stdin: true, stdinOnce: true, tty: true }],
  [{ terminationMessagePath: '/a' }],
  [{ restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }], restartPolicy: 'Never' }],
  [
    { env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'a', key: 'A' } } }] },
    { volumes: [volume] },
  ],
  [{ volumeMounts: [{ ...mount, subPathExpr: 'a' }] }, { volumes: [volume] }],
  [{ volumeMounts: [{ ...mount, subPath: 'a' }] }, { volumes: [{ name: 'v', configMap: { name: 'a' } }] }],
  [
    { volumeMounts: [{ ...mount, mountPropagation: 'Bidirectional' }], securityContext: { privileged: true } },
    { volumes: [volume] },
  ],
  [
    { volumeDevices: [{ name: 'v', devicePath: '/dev/a' }] },
    { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'a' } }] },
  ],
  [{ resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } } }],
  [{ resources: { claims: [{ name: 'd' }] } }, { resourceClaims: [claim] }],
  [{ securityContext: { seLinuxOptions: { level: 's0' } } }],
  [{ securityContext: { windowsOptions: { runAsUserName: 'a' } } }],
  [{ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a' } } }],
  [{ securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'a' } } }],
  [{ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }],
  [{ securityContext: { procMount: 'Unmasked' } }, { hostUsers: false }],
  [{ env: [{ name: 'a.b', value: 'c' }] }],
  [{ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] }],
  [{ volumeMounts: [{ name: 'v', mountPath: '/a:b' }] }, { volumes: [volume] }],
];

const initContainers: readonly Fragment[] = [{ restartPolicy: 'Always', livenessProbe: probe, readinessProbe: probe }];

const projected = (source: Fragment): Fragment => ({ projected: { sources: [source] } });
const certificate = { signerName: 'example.com/a', keyType: 'ED25519', credentialBundlePath: 'a' };

/** Sources of a volume. */
const volumes: readonly Fragment[] = [
  { emptyDir: { medium: 'HugePages' } },
  projected({ podCertificate: certificate }),
  { hostPath: { path: '/' } },
  { csi: { driver: 'a' } },
  { csi: { driver: 'file.csi.azure.com', volumeAttributes: { protocol: 'nfs' } } },
  { azureDisk: { diskName: 'a', diskURI: 'https://blob.example.com/a' } },
  { image: { reference: 'a' } },
  { gitRepo: { repository: 'a' } },
  { awsElasticBlockStore: { volumeID: 'a' } },
  { cephfs: { monitors: ['a'] } },
  { cinder: { volumeID: 'a' } },
  { fc: { targetWWNs: ['a'], lun: 1 } },
  { flexVolume: { driver: 'a/b' } },
  { flocker: { datasetName: 'a' } },
  { gcePersistentDisk: { pdName: 'a' } },
  { glusterfs: { endpoints: 'a', path: 'b' } },
  { iscsi: { targetPortal: 'a', iqn: 'iqn.2015-02.example.com:a', lun: 0 } },
  { nfs: { server: 'a', path: '/b' } },
  { photonPersistentDisk: { pdID: 'a' } },
  { portworxVolume: { volumeID: 'a' } },
  { quobyte: { registry: 'a:1', volume: 'b' } },
  { rbd: { monitors: ['a'], image: 'b' } },
  { scaleIO: { gateway: 'a', system: 'b', volumeName: 'c', secretRef: { name: 'd' } } },
  { storageos: { volumeName: 'a', volumeNamespace: 'b' } },
  { vsphereVolume: { volumePath: 'a' } },
];

const selected = { nodeSelector: { type: 'virtual-kubelet' } };
const main = { name: 'main', image: 'busybox' };

const pod = (name: string, spec: Fragment, annotations: Fragment = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, annotations },
  spec: { ...selected, containers: [main], ...spec },
});

/** Pods for the virtual nodes that offend against all rules that a pod can offend against and still be a valid pod. */
export const refusedPods = [
  ...pods.map((spec, index) => pod(`pod-${index}`, spec)),
  ...containers.map(([container, spec], index) =>
    pod(`container-${index}`, { ...spec, containers: [{ ...main, ...container }] }),
  ),
  ...initContainers.map((container, index) =>
    pod(`init-${index}`, { initContainers: [{ ...main, name: 'setup', ...container }] }),
  ),
  ...volumes.map((source, index) => pod(`volume-${index}`, { volumes: [{ name: 'v', ...source }] })),
  pod('many', { containers: Array.from({ length: 61 }, (_, index) => ({ ...main, name: `c${index}` })) }),
  pod('annotated', {}, { 'serverless-kubelet.io/typo': 'a' }),
  pod('annotated-as-elsewhere', {}, { 'microsoft.containerinstance.virtualnode.typo': 'a' }),
];

/** No pod of Kubernetes 1.36, as it is, offends against these. */
export const unreachable: readonly string[] = [
  // Every value that the API takes passes.
  'spec.dnsPolicy',
  '.terminationMessagePolicy',
  '.volumeMounts[].recursiveReadOnly',
  '.securityContext.allowPrivilegeEscalation',
  // The API server takes it of liveness and startup probes alone.
  '.readinessProbe.terminationGracePeriodSeconds',
  // Behind feature gates that are off: the API server drops the field.
  '.lifecycle.stopSignal',
  '.projected.sources[].podCertificate',
];
