import type { ReachFacts } from '../../../infra/cli/cluster/reach-of-pods.ts';
import type { AttachFacts } from '../../../infra/cli/attach/plan.ts';

/** Nothing is known of the cluster's network, and the app has no subnet. */
export const noReach: ReachFacts = {
  hasSubnet: false,
  network: undefined,
  podRange: undefined,
  isElsewhere: false,
  dnsAddress: undefined,
  dnsUnread: undefined,
  domain: undefined,
  serviceRanges: [],
  serviceAddresses: [],
  subnetRanges: [],
  secrets: [],
  secretsUnread: undefined,
  keepsChart: false,
  isDryRun: false,
  nowMs: 0,
};

/** Of a cluster that nobody has attached yet. */
export const facts: AttachFacts = {
  installation: 'weu',
  cluster: {
    name: 'prod',
    uid: '5f0c2d6e-6a53-4c62-9d0a-3f0f6c1b2a77',
    version: 'v1.36.3',
    server: 'https://prod:443',
    caPem: undefined,
    entra: undefined,
    aksHost: undefined,
  },
  existingNodes: [],
  fixed: [],
  registered: [],
  notAllowed: [],
  principalId: '11111111-1111-4111-8111-111111111111',
  reach: noReach,
};
