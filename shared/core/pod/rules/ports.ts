import { groupAddress } from '../ip-address.ts';
import type { Rule } from './rule.ts';

/** No port is a reason to refuse a pod: what ACI can't be reported is noted. */
export const portsRule: Rule = (pod, facts) => groupAddress(pod, facts).notices;
