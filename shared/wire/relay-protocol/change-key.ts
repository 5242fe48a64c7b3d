import { createHash } from 'node:crypto';
import { tellableChange } from '../../core/kubernetes/pod-change.ts';

/** Two states of a pod with the same key differ in nothing that the app acts on: the second is not posted. */
export const changeKey = (pod: Parameters<typeof tellableChange>[0]): string =>
  createHash('sha1').update(tellableChange(pod)).digest('base64');
