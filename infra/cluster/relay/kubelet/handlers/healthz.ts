import { answerText } from '../call.ts';
import type { KubeletHandler } from '../call.ts';

/** `GET /healthz`: whoever reads this was let in by the API server, and so it is reached too. */
export const healthz: KubeletHandler = (_context, { response }) => answerText(response, 200, 'ok');
