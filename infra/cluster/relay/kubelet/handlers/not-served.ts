import { answerText } from '../call.ts';
import type { KubeletHandler } from '../call.ts';

/** A route of a kubelet that this release does not have: said so, to those who may know. */
export const notServed =
  (name: string): KubeletHandler =>
  (_context, { response }) =>
    answerText(response, 501, `${name} is not available on this virtual node in this release`);
