import { clusterOptions } from '../cluster/find-cluster.ts';
import { parseDuration } from '../options.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { wrongInput } from '../stop.ts';
import type { ReachImages } from './reach-pod.ts';

/** Of `--pods`. */
export const podsOptions: OptionSpecs = {
  pods: {
    type: 'boolean',
    description: 'also starts a pod on a node of each cluster for a minute, and says what pods reach',
  },
  node: {
    type: 'string',
    value: 'NAME',
    description: 'with --pods: on this node (default: the first that is active and Ready)',
  },
  'musl-image': { type: 'string', value: 'IMAGE', description: 'with --pods: an image of musl with sh, getent and nc' },
  'glibc-image': {
    type: 'string',
    value: 'IMAGE',
    description: 'with --pods: an image of glibc with sh, getent and bash',
  },
  'pods-namespace': {
    type: 'string',
    value: 'NAME',
    description:
      "with --pods: where the pod is made (default: the chart's namespace; default where that one takes restricted pods only)",
  },
  outside: {
    type: 'string',
    value: 'HOST',
    description: "with --pods: a host outside that is asked for and reached at 443 (default: the app's)",
  },
  timeout: { type: 'string', value: 'TIME', description: 'with --pods: how long the pod may take (default 5m)' },
  ...clusterOptions,
};

const defaultImages: ReachImages = {
  musl: 'docker.io/library/alpine:3.20',
  glibc: 'docker.io/library/debian:bookworm-slim',
};

export interface PodsWants {
  readonly node: string | undefined;
  readonly images: ReachImages;
  readonly namespace: string | undefined;
  readonly outside: string | undefined;
  readonly timeoutMs: number;
  /** As it was asked for. */
  readonly timeout: string;
}

const podsOnly = ['node', 'musl-image', 'glibc-image', 'pods-namespace', 'outside', 'timeout'];

/** Reads the options; undefined: pods are not to be started. */
export function parsePodsWants(options: ParsedOptions): PodsWants | undefined {
  if (!options.flag('pods')) {
    const given = podsOnly.find((name) => options.text(name) !== undefined);
    if (given === undefined) return undefined;
    throw wrongInput(`--${given} goes with --pods`, 'add --pods, which starts a pod for a minute');
  }
  const outside = options.text('outside');
  if (outside !== undefined && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i.test(outside))
    throw wrongInput(`--outside wants the name of a host, not "${outside}"`, 'write it as mcr.microsoft.com');
  const timeout = options.text('timeout') ?? '5m';
  return {
    node: options.text('node'),
    images: {
      musl: options.text('musl-image') ?? defaultImages.musl,
      glibc: options.text('glibc-image') ?? defaultImages.glibc,
    },
    namespace: options.text('pods-namespace'),
    outside,
    timeoutMs: parseDuration('timeout', timeout),
    timeout,
  };
}
