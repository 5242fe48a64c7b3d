import { defined } from '../../../../shared/core/defined.ts';
import type { Check } from '../check.ts';
import { judgeAddresses, judgeClusterIps } from './cluster-ways.ts';
import { judgeDifference, judgeInitPhase } from './differences.ts';
import type { ReachFacts, ReachReports } from './facts.ts';
import type { Judged } from './hops.ts';
import { judgeClusterNames, judgeNameServers, judgeOutsideNames } from './names.ts';
import { judgeApiName, judgeApiServer, judgeEgress } from './server-ways.ts';

/**
 * What a pod in the subnet reached, a check for each hop: which one fails, why, and how to fix it. What only follows from
 * another one that fails is skipped, so that one cause is one failed check. `of` makes the checks' names. Pure.
 */
export function judgePodReach(
  reports: ReachReports,
  facts: ReachFacts,
  of: (check: string) => string,
): readonly Check[] {
  const judged: Judged = { reports, facts, of };
  const clusterIps = judgeClusterIps(judged);
  const addresses = judgeAddresses(judged);
  const servers = judgeNameServers(judged, { clusterIps, addresses });
  const names = judgeClusterNames(judged, servers);
  const outsideNames = judgeOutsideNames(judged, { servers, names });
  const egress = judgeEgress(judged, outsideNames);
  const apiName = judgeApiName(judged, { servers, outsideNames });
  const api = judgeApiServer(judged, { apiName, clusterIps, egress });
  return [
    clusterIps,
    addresses,
    servers,
    names,
    outsideNames,
    egress,
    ...(apiName === undefined ? [] : [apiName]),
    api,
    judgeDifference(judged),
    judgeInitPhase(judged),
  ].map(({ name, verdict, found, fix }) => ({ name, verdict, found, ...defined({ fix }) }));
}
