import { createHash } from 'node:crypto';
import { reportedChange } from '../../core/kubernetes/pod-change.ts';

/** Two states of a pod with the same key differ in nothing that the app acts on: the second is not posted. */
export const changeKey = (pod: Parameters<typeof reportedChange>[0]): string =>
  createHash('sha1').update(reportedChange(pod)).digest('base64');
