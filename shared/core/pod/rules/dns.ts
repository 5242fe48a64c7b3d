import { groupDns } from '../dns.ts';
import type { Rule } from './rule.ts';

/** What of the name servers, domains and options that a pod asks for a group does not get. */
export const dnsRule: Rule = (pod, facts) => groupDns(pod, facts).notices;
