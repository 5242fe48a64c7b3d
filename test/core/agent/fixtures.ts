import type { ContainerOrders, GroupOrders } from '../../../shared/core/agent/orders.ts';
import type { GroupBody } from '../../../shared/core/group/group.ts';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import type { NodeFacts, Notice, Translation } from '../../../shared/core/pod/translation.ts';
import { ordersOf, readOrders } from '../../fixtures/agent-orders.ts';
import { access, agent, configMap, facts, resolved, secret, subnetId } from '../pod/fixtures.ts';

export const node: NodeFacts = { ...facts, subnetId, agent };

/** What an image says; root without a word. */
export const image = (more: Partial<ImageConfig> = {}): ImageConfig => ({
  entrypoint: ['/entry'],
  cmd: ['serve'],
  env: {},
  workingDir: '',
  user: '',
  ...more,
});

/** The image of `rawContainer`, and what pods of these tests refer to. */
export const references = (
  config: Partial<ImageConfig> = {},
  more: Parameters<typeof resolved>[0] = {},
): ReturnType<typeof resolved> =>
  resolved({
    configMaps: { settings: configMap({ 'app.conf': 'x=1', 'b.c': 'dotted', PLAIN: 'p' }) },
    secrets: { login: secret({ password: 's3cret', user: 'u' }) },
    agent: access,
    ...more,
    images: { busybox: { ok: true, value: image(config) }, ...more.images },
  });

export interface AgentGroup {
  readonly body: GroupBody;
  readonly notices: readonly Notice[];
  /** Undefined: there is no agent. */
  readonly install: GroupOrders | undefined;
  /** By the name of the container. */
  readonly orders: Readonly<Record<string, ContainerOrders>>;
}

export const translate = (pod: Pod, known = references(), facts_: NodeFacts = node): Translation =>
  translatePod(pod, facts_, known);

/** The group of a pod, with the documents that the agent gets as it reads them. */
export function grouped(pod: Pod, known = references(), nodeFacts: NodeFacts = node): AgentGroup {
  const translation = translate(pod, known, nodeFacts);
  if (translation.kind !== 'group') throw new Error(`no group: ${translation.message}`);
  const texts = [...ordersOf(translation.body).values()];
  for (const text of texts) readOrders(text);
  const documents = texts.map((text): ContainerOrders | GroupOrders => JSON.parse(text));
  const ofContainers = documents.filter((document) => document.kind === 'container');
  return {
    body: translation.body,
    notices: translation.notices,
    install: documents.find((document) => document.kind === 'group'),
    orders: Object.fromEntries(ofContainers.map((document) => [document.container, document])),
  };
}
