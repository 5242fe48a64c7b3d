import { describeFault } from '../../fault.ts';
import type { Result } from '../../fault.ts';
import type { StatusAnswer } from '../words.ts';

/** Whether a container whose agent nobody hears counts as started and ready (setting AGENT_SILENCE). */
export const agentSilences = ['unready', 'ready'] as const;
export type AgentSilence = (typeof agentSilences)[number];

const egress = 'the group reaches nothing outside: give its subnet a NAT gateway or a route, and let port 443 out';

/** What an agent's own words mean, and what an operator can do. In the order in which they are looked for. */
const meanings: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [
    /no such host|server misbehaving|lookup .*(?:timeout|refused|unreachable)/i,
    "the app's name is not resolved in the group: check the DNS that its subnet or the registration (dns) gives it",
  ],
  [
    /x509|certificate|tls:/i,
    'something between the group and the app shows a certificate that is not trusted: a proxy that opens TLS has to leave the app alone',
  ],
  [/\b401\b/, 'the app does not take its key: check AGENT_ROOT_KEYS, and that APP_URL is this app'],
  [/\b(?:403|407)\b/, 'something before the app refuses it: check access restrictions of the app, and proxies'],
  [/\b404\b/, 'the address is not that of this app: check APP_URL'],
  [/\b410\b/, 'the app knows another group of this pod'],
  [/\b(?:429|5\d\d)\b/, 'the app does not answer, or is overloaded: see its own log'],
  [
    /connection refused|network is unreachable|no route to host|i\/o timeout|deadline exceeded|connection reset/i,
    egress,
  ],
];

/** Whatever a container shows may end up in an event. */
const mostWords = 300;

const meaningOf = (fault: string): string => {
  const meaning = meanings.find(([pattern]) => pattern.test(fault))?.[1];
  const words = fault.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, mostWords);
  return meaning === undefined ? `its last report failed: ${words}` : `${meaning} (${words})`;
};

/** Why the app hears nothing of an agent, from what it said when it was asked: half a sentence for an operator. */
export function whySilent(answer: Result<StatusAnswer>): string {
  if (!answer.ok) {
    const { fault } = answer;
    const isMissing = fault.kind === 'rejected' && fault.code === 'AgentMissing';
    const why = isMissing ? 'the agent is not in the container' : 'it could not be asked why';
    return `${why} (${describeFault(fault).slice(0, mostWords)})`;
  }
  if (!answer.value.ok) return `it could not be asked why (${answer.value.message.slice(0, mostWords)})`;
  const { lastFault } = answer.value.status;
  return lastFault === undefined
    ? 'it says that its reports are answered, but not by this app: check APP_URL'
    : meaningOf(lastFault);
}
