/**
 * Labels that NodeRestriction lets a kubelet give its own Node (`pkg/kubelet/apis/well_known_labels.go` and
 * `plugin/pkg/admission/noderestriction`); of Kubernetes' own domains everything else is refused with 403.
 */
const ownKeys: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const ownDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const restrictedDomain = 'node-restriction.kubernetes.io';
const kubernetesDomains = ['kubernetes.io', 'k8s.io'];

/** Whether a Node may be POSTed with this label by the node itself. */
export function isKubeletLabel(key: string): boolean {
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const isWithin = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`);
  if (isWithin(restrictedDomain)) return false;
  return !kubernetesDomains.some(isWithin) || ownKeys.has(key) || ownDomains.some(isWithin);
}
