import type { Target } from './target.ts';
import { agents } from './targets/agents.ts';
import { armAnswers } from './targets/arm-answers.ts';
import { decisions } from './targets/decisions.ts';
import { host } from './targets/host.ts';
import { kubernetesAnswers } from './targets/kubernetes-answers.ts';
import { kubeletApi } from './targets/kubelet-api.ts';
import { armLives, kubernetesLives } from './targets/lives.ts';
import { relayApp, relayPort, relayReviews, relayWatch } from './targets/relay.ts';
import { relayStreams } from './targets/relay-streams.ts';
import { settings } from './targets/settings.ts';
import { webhook, webhookWire } from './targets/webhook.ts';

/** Everything that is fuzzed, in the order of a run. */
export const targets: readonly Target[] = [
  webhook,
  webhookWire,
  kubeletApi,
  agents,
  settings,
  armAnswers,
  kubernetesAnswers,
  decisions,
  armLives,
  kubernetesLives,
  relayWatch,
  relayApp,
  relayPort,
  relayReviews,
  relayStreams,
  host,
];
