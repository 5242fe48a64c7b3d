import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { isOwnHost } from '../cluster/api-server-for-pods.ts';
import { failed, good, warned } from './check.ts';
import type { Check } from './check.ts';
import type { ReachFacts } from './cluster-judgements.ts';

const elsewhere = "attach again with --api-server-for-pods HOST[:PORT], a name that is in the API server's certificate";
/** It is asked from the operator's machine. */
const notKnown =
  "not known from here: whether the pods' subnet resolves and reaches it (private DNS zone linked, routes, authorized IP ranges)";

export type PodsWay = Exclude<ClusterRegistration['apiServerForPods'], undefined | 'service'>;

/** Without an address of its own for pods. `services`: whether they reach ClusterIPs. */
export function judgeServiceWay(name: string, way: 'service' | undefined, services: boolean): Check {
  if (services) return good(name, 'Pods get the address of the Service kubernetes, and reach it as any other Service.');
  if (way === 'service') return good(name, 'Pods get the address of the Service kubernetes, as the registration says.');
  return warned(
    name,
    'Pods get the address of the Service kubernetes, a ClusterIP, which container groups do not reach.',
    `To let them reach it, ${elsewhere}; with --api-server-for-pods service it stays so.`,
  );
}

/** An address that no other machine can mean; undefined where it is to be asked. */
export const judgeOwnHost = (name: string, { host }: PodsWay): Check | undefined =>
  isOwnHost(host)
    ? failed(name, `${host} is each container group's own address.`, `To name another, ${elsewhere}.`)
    : undefined;

/** What came of asking it from here, with the registration's authority as the only one that is trusted. */
export function judgePodsWay(name: string, { host, port }: PodsWay, facts: ReachFacts): Check {
  const where = `${host}:${port}`;
  const fromThere = `Is it known in the pods' network only, run doctor there; else ${elsewhere}.`;
  switch (facts.at) {
    case 'dns':
      return failed(
        name,
        `DNS does not know ${host} here: ${facts.reason}.`,
        `Of a private cluster link the private DNS zone to the pods' network. ${fromThere}`,
      );
    case 'tcp':
      return failed(
        name,
        `${where} takes no connection from here: ${facts.reason}.`,
        `Let the egress address of the pods' subnet, and yours, into the authorized IP ranges. ${fromThere}`,
      );
    case 'tls':
      return facts.reason === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? failed(
            name,
            `The certificate of ${where} does not name ${host}: clients in pods refuse it.`,
            `So ${elsewhere}.`,
          )
        : failed(
            name,
            `The certificate of ${where} is not of the cluster's authority: ${facts.reason}.`,
            `It is another server, or the cluster was built anew: ${elsewhere}.`,
          );
    case 'http':
      return failed(
        name,
        `${where} gave no answer: ${facts.reason}.`,
        `Something between drops the connection, such as a proxy. ${fromThere}`,
      );
    case 'answered':
      break;
  }
  return facts.status < 500
    ? good(name, `Pods are given ${where}: its certificate names it; ${notKnown}.`)
    : failed(name, `${where} answers ${facts.status}.`, 'The API server is not healthy: see the cluster.');
}
