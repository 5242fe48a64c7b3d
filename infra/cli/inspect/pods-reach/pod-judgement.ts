import { failed } from '../check.ts';
import type { Check } from '../check.ts';

/** How far the pod of `doctor --pods` is, and why, in its own words. */
export interface StuckPod {
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
}

const describePods = 'docs/operations.md, Waiting reasons of pods, has what to do.';

/** By the pod's own reason; the first that fits. */
const fixes: readonly (readonly [reason: RegExp, fix: string])[] = [
  [
    /^(Err)?Image|^InvalidImageName$|^Registry/,
    'Name images that ACI can pull: --musl-image and --glibc-image; see the registry in the message, and its limits for those without a login.',
  ],
  [
    /^ProviderCapacity$/,
    'Wait for room or ask for more quota, in the Azure portal: Quotas, Azure Container Instances.',
  ],
  [
    /^CreateContainerConfigError$/,
    'What is missing is in the message; of the Secret of the Services attach again, which makes it.',
  ],
  [
    /^(Unschedulable|SchedulerError|SchedulingGated)$/,
    'See the Node: kubectl describe node. It must be Ready, uncordoned, and have room.',
  ],
  [
    /^(ContainerCreating|PodInitializing|)$/,
    'It may only take longer: --timeout 10m. Else see kubectl get node and the log of the app: somebody must make its group.',
  ],
  [/^DeadlineExceeded$/, 'It took too long: --timeout 10m.'],
  [/^Deleted$/, 'Run it again.'],
];

/** The check of a pod that did not come to its end. Pure. */
export function judgeStuck(name: string, { phase, reason, message }: StuckPod, waited: string): Check {
  const why = [reason || phase, message]
    .filter((part) => part !== '')
    .join(': ')
    .replace(/\.$/, '');
  const found = phase === 'Failed' ? `The pod failed: ${why}.` : `The pod did not end in ${waited}: ${why}.`;
  return failed(name, found, fixes.find(([pattern]) => pattern.test(reason))?.[1] ?? describePods);
}
