import { reportedVersion } from '../core/node/node-spec.ts';
import type { NodeSpec } from '../core/node/node-spec.ts';
import type { NodeRegistration } from '../wire/settings.ts';
import type { NodeDeps } from './deps.ts';
import { version } from './version.ts';

/** What a node is to be by `registration`: the one of this invocation's snapshot, unless a newer one is known. */
export function nodeSpec(node: NodeDeps, registration: NodeRegistration = node.registration): NodeSpec {
  const { key, facts, cluster } = node;
  return {
    name: registration.name,
    cluster: key.cluster,
    installation: facts.installation,
    region: facts.location,
    zone: registration.zone,
    address: registration.address,
    kubeletPort: registration.port,
    capacity: { cpu: registration.cpu, memory: registration.memory, pods: registration.pods },
    taint: registration.taint,
    kubeletVersion: reportedVersion(cluster.registration.version, version),
    labels: registration.labels,
  };
}
