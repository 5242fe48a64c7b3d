import type { Pod } from '../../../../shared/core/kubernetes/pod.ts';
import { ephemeralSentence } from '../../../../shared/core/status/ephemeral.ts';

/** Whether a container can be spoken to, by the pod's status. */
export type Speaking =
  | { readonly kind: 'running'; readonly restartCount: number }
  /** The text begins as a kubelet's. */
  | { readonly kind: 'refused'; readonly status: 400 | 404; readonly message: string };

/** As a kubelet, which knows only containers that run; it does not say why one does not, and this does. */
export function speaking(pod: Pod, container: string): Speaking {
  const ephemeral = ephemeralSentence(pod, container);
  if (ephemeral !== undefined) return { kind: 'refused', status: 400, message: ephemeral };
  const notFound = `container not found (${JSON.stringify(container)})`;
  const all = [...pod.spec.initContainers, ...pod.spec.containers];
  if (!all.some(({ name }) => name === container)) return { kind: 'refused', status: 404, message: notFound };
  const status = [...pod.status.initContainerStatuses, ...pod.status.containerStatuses].find(
    ({ name }) => name === container,
  );
  if (status?.state.kind === 'running') return { kind: 'running', restartCount: status.restartCount };
  return { kind: 'refused', status: 400, message: `${notFound}: it is not running (${whyNot(pod, status?.state)})` };
}

function whyNot({ status }: Pod, state: Pod['status']['containerStatuses'][number]['state'] | undefined): string {
  switch (state?.kind) {
    case 'waiting':
      return state.reason;
    case 'terminated':
      return `it ended with exit code ${state.exitCode}`;
    default:
      return status.reason ?? status.phase;
  }
}
