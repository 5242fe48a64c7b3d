import { read } from '../../../../infra/cli/inspect/observed.ts';
import type {
  ClusterObserved,
  NodeObserved,
  NodeRowSeen,
  NodeSeen,
  StatusObserved,
} from '../../../../infra/cli/inspect/observed.ts';

export const uid = '7d5a3c1e-0000-4000-8000-000000000001';

export const nodeSeen = (changes: Partial<NodeSeen> = {}): NodeSeen => ({
  ready: 'True',
  reason: 'KubeletReady',
  unschedulable: false,
  owner: 'sk',
  version: 'v1.36.3-aci.0.1.0',
  allocatable: { cpu: '20', memory: '80Gi', pods: '20' },
  statusAgeSeconds: 40,
  ...changes,
});

export const rowSeen = (changes: Partial<NodeRowSeen> = {}): NodeRowSeen => ({
  resyncAgeSeconds: 120,
  relayHeardAgeSeconds: 5,
  orphans: 0,
  ...changes,
});

/** A node as it should be. */
export const nodeObserved = (changes: Partial<NodeObserved> = {}): NodeObserved => ({
  name: 'aci-1',
  state: 'active',
  node: read(nodeSeen()),
  lease: read({ ageSeconds: 8 }),
  pods: read({ Running: 3 }),
  groups: read(3),
  row: read(rowSeen()),
  troubles: read([]),
  ...changes,
});

export const clusterObserved = (changes: Partial<ClusterObserved> = {}): ClusterObserved => ({
  name: 'prod',
  uid,
  server: 'https://api.example:6443',
  live: read({ uid }),
  reach: {},
  nodes: [nodeObserved()],
  ...changes,
});

/** An installation as it should be. */
export const statusObserved = (changes: Partial<StatusObserved> = {}): StatusObserved => ({
  installation: 'sk',
  region: 'westeurope',
  registrations: read(undefined),
  clusters: [clusterObserved()],
  quota: read([
    { name: 'ContainerGroups', used: 3, limit: 100 },
    { name: 'StandardCores', used: 3, limit: 100 },
  ]),
  budgets: read([{ name: 'reads', left: 187, of: 187, fullInSeconds: 0 }]),
  unmanagedGroups: read([]),
  ...changes,
});
