import { describe, expect, it } from 'vitest';
import { readAgentTags } from '../../../shared/core/agent/agent-tags.ts';
import { readTierTags } from '../../../shared/core/agent/tier-tags.ts';
import type { AgentFacts } from '../../../shared/core/agent/agent-facts.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { inspectPod } from '../../../shared/core/pod/inspect.ts';
import { facts, podOf, rawContainer, subnetId, withContainer } from '../pod/fixtures.ts';
import type { Raw } from '../pod/fixtures.ts';
import { grouped, node, references, translate } from './fixtures.ts';

const hostAliases = [{ ip: '10.1.2.3', hostnames: ['db'] }];
const withAgent = (more: Partial<AgentFacts>) => ({
  ...node,
  agent: { ...node.agent, mode: 'auto' as const, ...more },
});
const annotated = (mode: string, spec: Raw = { hostAliases }): Pod =>
  podOf(spec, { annotations: { 'serverless-kubelet.io/agent': mode } });
const handling = (script: string): Pod => withContainer({ command: ['sh', '-c', script] });
const tierOf = (pod: Pod, nodeFacts = node): string =>
  readTierTags(grouped(pod, references(), nodeFacts).body.tags)?.tier ?? 'T0';
const refusalOf = (pod: Pod, nodeFacts = node): string | undefined => inspectPod(pod, nodeFacts).refusal?.message;

describe('the agent', () => {
  it('is in no pod that asks for nothing of it', () => {
    const { body } = grouped(podOf());
    expect([body.initContainers, body.volumes, tierOf(podOf())]).toEqual([[], [], 'T0']);
  });

  it('is in one that does, with what it is for in the tags', () => {
    const { body } = grouped(podOf({ hostAliases, hostname: 'web-0' }));
    expect(readTierTags(body.tags)).toEqual({ tier: 'T1', reason: 'spec.hostAliases and 1 more' });
    expect(readAgentTags(body.tags)).toEqual({
      digest: `sha256:${'a9'.repeat(32)}`,
      kid: 'r1',
      nonce: 'n0nce',
    });
  });

  it.each<[string, Pod, Partial<AgentFacts>, string]>([
    ['AGENT=always: in every pod', podOf(), { mode: 'always' }, 'T2'],
    ['the annotation always: in this one', annotated('always', {}), {}, 'T2'],
    ['the annotation auto over AGENT=always: as the pod asks', annotated('auto', {}), { mode: 'always' }, 'T0'],
    ['the annotation auto over AGENT=never: as the pod asks', annotated('auto'), { mode: 'never' }, 'T1'],
    ['the annotation never over AGENT=always: in none', annotated('never', {}), { mode: 'always' }, 'T0'],
    ['a script that handles SIGTERM', handling('trap "exit 7" TERM; sleep 60'), {}, 'T2'],
    ['over several lines', handling('trap "\nexit 7\n" INT TERM\nsleep 60'), {}, 'T2'],
    ['by number', handling('trap cleanup 15'), {}, 'T2'],
    ['in another language', handling('process.on("SIGTERM", stop)'), {}, 'T2'],
    ['a script that handles another signal', handling('trap "exit 7" HUP; echo TERMINAL'), {}, 'T0'],
    ['one that handles it where there is no agent', handling('trap "exit 7" TERM'), { mode: 'never' }, 'T0'],
    ['for what is only noted, in none where there is no agent', podOf({ hostname: 'a' }), { mode: 'never' }, 'T0'],
  ])('%s', (_, pod, more, tier) => expect(tierOf(pod, withAgent(more))).toBe(tier));

  it.each<[string, Pod, typeof node, string]>([
    [
      'there is none',
      podOf({ hostAliases }),
      { ...facts, subnetId },
      'and there is none here yet: kubectl aci agent publish',
    ],
    [
      'there is none that its group could get',
      podOf({ hostAliases }),
      { ...node, agent: { mode: 'auto' } },
      'but there is no image of the agent (AGENT_IMAGE), and AGENT_DOWNLOAD is auto, which means not in a subnet: kubectl aci agent publish puts it into a registry',
    ],
    ['AGENT is never', podOf({ hostAliases }), withAgent({ mode: 'never' }), 'and the setting AGENT is never'],
    ['its annotation is never', annotated('never'), node, 'and the annotation serverless-kubelet.io/agent is never'],
    [
      'it has a confidential policy of its own',
      podOf({ hostAliases }, { annotations: { 'microsoft.containerinstance.virtualnode.ccepolicy': 'cGFja2FnZQ==' } }),
      node,
      'which a pod with a confidential policy of its own can not have',
    ],
  ])('refuses in one sentence a pod that needs it where %s', (_, pod, nodeFacts, why) =>
    expect(refusalOf(pod, nodeFacts)).toBe(
      `spec.hostAliases: ACI can't add lines to /etc/hosts; the agent would give it, ${why}`,
    ),
  );

  it('refuses an annotation that is none', () =>
    expect(refusalOf(annotated('yes'))).toBe(
      'metadata.annotations[serverless-kubelet.io/agent]: expected "auto", "always" or "never", such as always',
    ));

  it('waits where the app has no key for it', () => {
    const { agent: _, ...without } = references();
    expect(translate(podOf({ hostAliases }), without)).toMatchObject({
      kind: 'waiting',
      reason: 'CreateContainerConfigError',
      message: 'the app has no key for the agent of the pod',
    });
  });

  it('is pulled by the identity of the installation, where its registry is one of Azure', () => {
    const pullIdentities = { 'agents.azurecr.io': '/subscriptions/s/pull' };
    const { body } = grouped(podOf({ hostAliases }), references(), { ...node, pullIdentities });
    expect(body.imageRegistryCredentials).toEqual([{ server: 'agents.azurecr.io', identity: '/subscriptions/s/pull' }]);
    expect(grouped(podOf(), references(), { ...node, pullIdentities }).body.imageRegistryCredentials).toEqual([]);
  });
});

const volumesOf = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `v${index}`, emptyDir: {} }));
const mountsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `v${index}`, mountPath: `/v${index}` }));

describe('a group that would be too large with the agent', () => {
  it('goes without it for what the pod can do without, which is noted as before', () => {
    const pod = (count: number) =>
      withContainer({ volumeMounts: mountsOf(count) }, { volumes: volumesOf(count), hostname: 'web-0' });
    expect(tierOf(pod(16))).toBe('T1');
    expect(tierOf(pod(17))).toBe('T0');
    expect(grouped(pod(17)).notices.map(({ message }) => message)).toEqual([
      expect.stringContaining('spec.hostname: ACI names the host of a group itself'),
    ]);
  });

  it('is refused by what needs it', () => {
    const pod = withContainer({ volumeMounts: mountsOf(18) }, { volumes: volumesOf(18), hostAliases });
    expect(refusalOf(pod)).toBe("spec.hostAliases: 21 volumes with the agent's; a group takes 20");
    const many = podOf({
      hostAliases,
      containers: Array.from({ length: 60 }, (_, at) => rawContainer({ name: `c${at}` })),
    });
    expect(refusalOf(many)).toBe("spec.hostAliases: 61 containers with the agent's; a group takes 60");
  });

  it('is refused by its volumes where it is so without', () => {
    const pod = withContainer({ volumeMounts: mountsOf(21) }, { volumes: volumesOf(21), hostname: 'web-0' });
    expect(refusalOf(pod)).toBe('spec.volumes: 21 volumes are mounted; a group takes 20');
  });
});
