import { durationText } from './duration-text.ts';
import type { Finding, NodeObserved } from './observed.ts';

/** The app renews every 15 seconds, the relay steps in after 30. */
const lateSeconds = 30;
/** The node controller gives a node up after 40 seconds. */
const deadSeconds = 40;
/** Header times have whole seconds, and an answer takes a moment. */
const aheadSeconds = 5;

/** Whether somebody keeps the node alive. */
export function leaseFindings(
  { lease, state }: Pick<NodeObserved, 'lease' | 'state'>,
  subject: string,
): readonly Finding[] {
  if (lease.kind === 'unreadable')
    return [
      {
        severity: 'warning',
        subject,
        sentence: `Its Lease could not be read: ${lease.reason}`,
        hint: 'Whether the node is kept alive is unknown here: ask for the right to get leases in kube-node-lease.',
      },
    ];
  if (state === 'removed') return [];
  if (lease.value === undefined)
    return [
      {
        severity: 'error',
        subject,
        sentence: 'It has no Lease.',
        hint: 'Nobody keeps the node alive: the app does not run, or may not act as this node; doctor says which.',
      },
    ];
  const { ageSeconds } = lease.value;
  if (ageSeconds < -aheadSeconds)
    return [
      {
        severity: 'warning',
        subject,
        sentence: `Its Lease was renewed ${durationText(-ageSeconds)} in the future, by the API server's time.`,
        hint: 'A wrong clock wrote it, and it can not show a dead node for that time: check the clocks of the API servers with doctor.',
      },
    ];
  if (ageSeconds <= lateSeconds) return [];
  return [
    {
      severity: ageSeconds > deadSeconds ? 'error' : 'warning',
      subject,
      sentence: `Its Lease was renewed ${durationText(ageSeconds)} ago.`,
      hint: 'The app renews it every 15 seconds and the relay for at most 10 minutes when the app is silent; without both the node becomes NotReady and its pods are evicted: doctor says what is down.',
    },
  ];
}
