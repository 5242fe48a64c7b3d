import { describe, expect, it } from 'vitest';
import { judgePodReach } from '../../../../../infra/cli/inspect/pods-reach/judgements.ts';
import type { ReachFacts, ReachReports } from '../../../../../infra/cli/inspect/pods-reach/facts.ts';
import { read, unreadable } from '../../../../../infra/cli/inspect/observed.ts';
import { allHops, direct, everywhere, flat, reportsOf } from './worlds.ts';

const checks = (reports: ReachReports, facts: ReachFacts) => judgePodReach(reports, facts, (check) => check);

/** `verdict name: found → fix`, of all that is not ok. */
const troubles = (reports: ReachReports, facts: ReachFacts): readonly string[] =>
  checks(reports, facts)
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ verdict, name, found, fix }) => `${verdict} ${name}: ${found}${fix === undefined ? '' : ` → ${fix}`}`);

const aks = (changes: object) =>
  read({ name: 'prod', isPrivate: false, hidesPods: false, authorizedRanges: [], ...changes });
const silent = 'failed no answer in 5 s';
const noServices = {
  service: silent,
  'server/10.0.0.10': silent,
  'cluster-name': 'failed after 15 s',
  'outside-name': 'failed after 15 s',
  'api-name': 'failed after 15 s',
  api: silent,
  outside: silent,
};

describe('what a pod reached', () => {
  it('all of it: nothing to fix', () => {
    expect(checks(everywhere(flat, {}), flat).map(({ verdict, name, found }) => `${verdict} ${name}: ${found}`))
      .toMatchInlineSnapshot(`
      [
        "ok ClusterIPs: 10.0.0.1:443 is reached, the Service kubernetes.",
        "ok addresses of pods: 10.244.0.5:53, a pod of the cluster's DNS, is reached.",
        "ok name servers: 10.0.0.10:53 take connections.",
        "ok names of the cluster: kubernetes.default.svc.cluster.local is 10.0.0.1.",
        "ok names outside: app.example is 20.0.0.1.",
        "ok the way out: app.example:443 is reached.",
        "ok API server's name: api.example is 20.0.0.2.",
        "ok API server: api.example:443 is reached.",
        "ok musl and glibc: Both images come to the same.",
        "ok init phase: Init containers reach what containers reach.",
      ]
    `);
  });

  it('as little as is registered: skipped, and said why', () => {
    const bare: ReachFacts = { ...flat, dns: undefined, services: undefined, apiServer: undefined };
    const reports = everywhere(bare, { service: silent, pod: 'ok', api: 'ok' });
    expect(troubles(reports, bare)).toMatchInlineSnapshot(`
      [
        "skipped ClusterIPs: The cluster is registered without services: pods are not meant to reach ClusterIPs.",
        "skipped name servers: The cluster is registered without dns: pods ask Azure's resolver, which knows no names of the cluster.",
        "skipped names of the cluster: The cluster is registered without dns: pods ask Azure's resolver, which knows no names of the cluster.",
      ]
    `);
    const outside: ReachFacts = { ...flat, hasSubnet: false };
    expect(troubles(everywhere(outside, { service: silent, pod: silent }), outside)).toMatchInlineSnapshot(`
      [
        "skipped ClusterIPs: Pods are in no subnet (ACI_SUBNET_ID), so they reach nothing inside the cluster.",
        "skipped addresses of pods: Pods are in no subnet (ACI_SUBNET_ID), so they reach nothing inside the cluster.",
        "skipped name servers: Pods are in no subnet (ACI_SUBNET_ID), so they reach nothing inside the cluster.",
        "skipped names of the cluster: Pods are in no subnet (ACI_SUBNET_ID), so they reach nothing inside the cluster.",
      ]
    `);
  });

  it("ACI's kube-proxy does not work: all that goes by it follows from it", () => {
    expect(troubles(everywhere(flat, noServices), flat)).toMatchInlineSnapshot(`
      [
        "failed ClusterIPs: 10.0.0.1:443, the Service kubernetes, takes no connection: no answer in 5 s; ACI's kube-proxy, which routes it, does not work in the group. → It reads the API server, which the pod does not reach either. See the authorized IP ranges of the API server (the egress address of the pods' subnet must be in them), of a private cluster the way to its private endpoint, and the subnet's security group and route table. If that is not it: attach again, which sees to the credential, and make the pods anew: a group keeps the one it was made with. Does the group's kube-proxy reach the API server, and is 10.244.0.0/16 the range of the cluster's pods? With an address of the API server in place of its name (attach --api-server-for-pods IP) it needs no name. az container show lists the extensions of a group.",
        "skipped name servers: 10.0.0.10:53 takes no connection: no answer in 5 s. It needs ClusterIPs.",
        "skipped names of the cluster: kubernetes.default.svc.cluster.local is not resolved. It needs the name servers.",
        "skipped names outside: app.example is not resolved, after 15 s. It needs the name servers.",
        "skipped the way out: app.example:443 takes no connection: no answer in 5 s. It needs names outside.",
        "skipped API server's name: api.example is not resolved, after 15 s. It needs the name servers.",
        "skipped API server: api.example:443 takes no connection: no answer in 5 s. It needs its name.",
      ]
    `);
  });

  it('the account of the kube-proxy has no rights', () => {
    const facts = { ...flat, missingRights: read(['list endpoints', 'watch endpoints']) };
    expect(troubles(everywhere(flat, noServices), facts)[0]).toMatchInlineSnapshot(
      `"failed ClusterIPs: 10.0.0.1:443, the Service kubernetes, takes no connection: no answer in 5 s; the account of ACI's kube-proxy may not list endpoints, watch endpoints. → Attach again: it upgrades the chart, which has the rights of that account."`,
    );
  });

  it('the API server is not reached, and so nobody tells the kube-proxy of Services', () => {
    const facts: ReachFacts = { ...direct, services: flat.services };
    const reports = everywhere(facts, { api: silent, service: silent });
    expect(troubles(reports, facts)).toMatchInlineSnapshot(`
      [
        "skipped ClusterIPs: 10.0.0.1:443, the Service kubernetes, takes no connection: no answer in 5 s. It needs the API server, which ACI's kube-proxy reads.",
        "failed API server: api.example:443 takes no connection: no answer in 5 s. → See the authorized IP ranges of the API server (the egress address of the pods' subnet must be in them), of a private cluster the way to its private endpoint, and the subnet's security group and route table.",
      ]
    `);
    const ranges = { ...facts, aks: aks({ authorizedRanges: ['1.2.3.4/32'] }) };
    expect(troubles(reports, ranges).at(-1)).toMatchInlineSnapshot(
      `"failed API server: api.example:443 takes no connection: no answer in 5 s. → Let the egress address of the pods' subnet into the authorized ranges: az aks update --name prod --resource-group … --api-server-authorized-ip-ranges 1.2.3.4/32,ADDRESS"`,
    );
    const closed = { ...facts, aks: aks({ isPrivate: true }) };
    expect(troubles(reports, closed).at(-1)).toMatchInlineSnapshot(
      `"failed API server: api.example:443 takes no connection: no answer in 5 s. → The cluster is private: peer the pods' network with that of its private endpoint, and see that no security group or route table keeps 443 from it."`,
    );
  });

  it('addresses of pods are hidden, or not routed', () => {
    const hops = { pod: silent, 'server/10.0.0.10': silent, 'cluster-name': 'failed after 15 s' };
    const overlay = { ...flat, aks: aks({ hidesPods: true }) };
    expect(troubles(everywhere(flat, hops), overlay)).toMatchInlineSnapshot(`
      [
        "failed addresses of pods: 10.244.0.5:53, a pod of the cluster's DNS, takes no connection: no answer in 5 s; in the overlay network of prod nobody outside has a route to pods. → Neither pods nor ClusterIPs can be reached from there: give the cluster's DNS and the Services that pods use internal load balancers, and attach again with --dns ADDRESS and --services off.",
        "skipped name servers: 10.0.0.10:53 takes no connection: no answer in 5 s. It needs the addresses of pods.",
        "skipped names of the cluster: kubernetes.default.svc.cluster.local is not resolved. It needs the name servers.",
      ]
    `);
    expect(troubles(everywhere(flat, hops), flat)[0]).toMatchInlineSnapshot(
      `"failed addresses of pods: 10.244.0.5:53, a pod of the cluster's DNS, takes no connection: no answer in 5 s. → See the peering of the two networks, the security group and the route table of both subnets (TCP and UDP 53). In an overlay network (kubenet, Azure CNI Overlay) nobody outside has a route to pods: then internal load balancers are the way."`,
    );
    expect(troubles(everywhere(flat, hops), { ...flat, aks: aks({}) })[0]).toMatchInlineSnapshot(
      `"failed addresses of pods: 10.244.0.5:53, a pod of the cluster's DNS, takes no connection: no answer in 5 s. → See the peering of the two networks, the security group and the route table of both subnets (TCP and UDP 53)."`,
    );
    expect(troubles(everywhere(direct, { pod: silent }), { ...direct, aks: aks({ hidesPods: true }) }))
      .toMatchInlineSnapshot(`
      [
        "skipped ClusterIPs: The cluster is registered without services: pods are not meant to reach ClusterIPs.",
        "skipped addresses of pods: 10.244.0.5:53, a pod of the cluster's DNS, takes no connection: no answer in 5 s; in the overlay network of prod nobody outside has a route to pods, and nothing registered needs one.",
      ]
    `);
    expect(troubles(everywhere(direct, { pod: silent }), direct)[1]).toMatch(/^warning addresses of pods/);
  });

  it('name servers that take no connection', () => {
    const hops = {
      'server/10.0.0.10': silent,
      'cluster-name': 'failed after 15 s',
      'outside-name': 'failed after 15 s',
    };
    expect(troubles(everywhere(flat, hops), flat)).toMatchInlineSnapshot(`
      [
        "failed name servers: 10.0.0.10:53 takes no connection: no answer in 5 s, though another ClusterIP does. → See that the address is the ClusterIP of the cluster's DNS (kubectl get services -n kube-system), that no security group and no NetworkPolicy denies TCP and UDP 53 from the pods' subnet; then attach again.",
        "skipped names of the cluster: kubernetes.default.svc.cluster.local is not resolved. It needs the name servers.",
        "skipped names outside: app.example is not resolved, after 15 s. It needs the name servers.",
      ]
    `);
    expect(troubles(everywhere(flat, hops), { ...flat, dnsPods: read(0) })[0]).toMatchInlineSnapshot(
      `"failed name servers: 10.0.0.10:53 takes no connection: no answer in 5 s; no pod of the cluster's DNS is ready. → See why: kubectl get pods -n kube-system -l k8s-app=kube-dns"`,
    );
    const both = {
      'server/10.1.0.10': silent,
      'server/10.1.0.11': 'failed refused',
      'cluster-name': 'failed after 15 s',
    };
    expect(troubles(everywhere(direct, both), direct)[1]).toMatchInlineSnapshot(
      `"failed name servers: 10.1.0.10:53, 10.1.0.11:53 takes no connection: no answer in 5 s. → See whether that address is still the one of the load balancer (kubectl get services -n kube-system), that its backends are ready, that the network routes it, and that no security group denies TCP and UDP 53."`,
    );
    expect(troubles(everywhere(direct, { 'server/10.1.0.10': silent }), direct)[1]).toMatchInlineSnapshot(
      `"warning name servers: 10.1.0.10:53 takes no connection: no answer in 5 s; of 10.1.0.10:53, 10.1.0.11:53 the others do. → Attach again with --dns, naming those that answer."`,
    );
  });

  it('names of the cluster that are not known: another domain, another resolver, UDP that does not pass', () => {
    expect(troubles(everywhere(flat, { 'cluster-name': 'failed after 0 s' }), flat)).toMatchInlineSnapshot(`
      [
        "failed names of the cluster: kubernetes.default.svc.cluster.local does not exist, says 10.0.0.10. → The cluster's domain may be another than cluster.local (kubectl get configmap coredns -n kube-system -o yaml, the line "kubernetes"), or that address is no name server of this cluster: attach again with --dns.",
      ]
    `);
    expect(troubles(everywhere(flat, { 'cluster-name': 'failed after 0 s' }, '168.63.129.16'), flat))
      .toMatchInlineSnapshot(`
      [
        "failed names of the cluster: kubernetes.default.svc.cluster.local is not resolved: the pod asks 168.63.129.16, not 10.0.0.10. → An app of another release may have made the group, or the registration is younger than it: attach again, and see the release that doctor reports.",
      ]
    `);
    const dropped = {
      'cluster-name': 'failed after 15 s',
      'outside-name': 'failed after 15 s',
      'api-name': 'failed after 15 s',
    };
    expect(troubles(everywhere(flat, { ...dropped, api: silent, outside: silent }), flat)).toMatchInlineSnapshot(`
      [
        "failed names of the cluster: kubernetes.default.svc.cluster.local is asked for by UDP and nobody answers (after 15 s), though the name servers take connections by TCP. → Let UDP 53 pass from the pods' subnet to the cluster: security groups, NetworkPolicies of kube-system, firewalls.",
        "skipped names outside: app.example is not resolved, after 15 s. It needs the names of the cluster.",
        "skipped the way out: app.example:443 takes no connection: no answer in 5 s. It needs names outside.",
        "skipped API server's name: api.example is not resolved, after 15 s. It needs names outside.",
        "skipped API server: api.example:443 takes no connection: no answer in 5 s. It needs its name.",
      ]
    `);
  });

  it('names outside that are not known, by whom they are asked for', () => {
    expect(troubles(everywhere(flat, { 'outside-name': 'failed after 0 s', outside: 'failed refused' }), flat))
      .toMatchInlineSnapshot(`
      [
        "failed names outside: app.example is not resolved, after 0 s; names of the cluster are. → The cluster's DNS forwards nowhere that knows it: see forward in the ConfigMap coredns of kube-system, and the DNS servers of the nodes' network.",
        "skipped the way out: app.example:443 takes no connection: refused. It needs names outside.",
      ]
    `);
    const own = { ...flat, dns: undefined };
    expect(troubles(everywhere(own, { 'outside-name': 'failed after 15 s' }), own)[2]).toMatchInlineSnapshot(
      `"failed names outside: app.example is not resolved, after 15 s; the pod asks 168.63.129.16. → See the DNS servers of the pods' virtual network, whether they answer and know names of the Internet; or name another host with --outside."`,
    );
  });

  it.each<[string, ReachFacts['wayOut']]>([
    ['no way', { kind: 'none' }],
    ['a firewall', { kind: 'appliance', address: '10.9.0.4' }],
    ["Azure's old default", { kind: 'default' }],
    ['a NAT gateway', { kind: 'nat' }],
    ['nobody knows', { kind: 'unknown' }],
  ])('no way out: %s', (_, wayOut) => {
    const reports = everywhere(flat, { outside: silent });
    expect(troubles(reports, { ...flat, wayOut })).toMatchSnapshot();
  });

  it('without a way out a public API server is not reached either; a private one is', () => {
    const reports = everywhere(direct, { outside: silent, api: silent });
    expect(troubles(reports, direct).slice(-2)).toMatchInlineSnapshot(`
      [
        "failed the way out: app.example:443 takes no connection: no answer in 5 s; its name is resolved. → Give the subnet a NAT gateway, and see its route table and its security group.",
        "skipped API server: api.example:443 takes no connection: no answer in 5 s. It needs the way out.",
      ]
    `);
    const near = everywhere(direct, { outside: silent, api: silent, 'api-name': 'ok 10.2.0.4' });
    expect(troubles(near, direct).map((text) => text.split(':')[0])).toEqual([
      'skipped ClusterIPs',
      'failed the way out',
      'failed API server',
    ]);
  });

  it("the API server's name alone is not known", () => {
    const reports = everywhere(flat, { 'api-name': 'failed after 0 s', api: 'failed refused' });
    expect(troubles(reports, flat)).toMatchInlineSnapshot(`
      [
        "failed API server's name: api.example is not resolved, after 0 s; other names are. → Of a private cluster link its private DNS zone to the network of the cluster's nodes, whose DNS the cluster's DNS asks; or attach again with --api-server-for-pods HOST[:PORT].",
        "skipped API server: api.example:443 takes no connection: refused. It needs its name.",
      ]
    `);
    const own = { ...flat, dns: undefined };
    expect(troubles(everywhere(own, { 'api-name': 'failed after 0 s' }), own).at(-1)).toMatchInlineSnapshot(
      `"failed API server's name: api.example is not resolved, after 0 s; other names are. → Of a private cluster link its private DNS zone to the pods' network, and to that of its DNS servers; or attach again with --api-server-for-pods HOST[:PORT]."`,
    );
    expect(troubles(reports, { ...flat, aks: aks({}) })[0]).toMatchInlineSnapshot(
      `"failed API server's name: api.example is not resolved, after 0 s; other names are. → It is no private cluster: was it deleted or built anew? Then attach again."`,
    );
  });

  it('pods that get a ClusterIP for the API server', () => {
    const facts: ReachFacts = { ...flat, apiServer: undefined };
    expect(troubles(everywhere(facts, { service: silent, api: silent }), facts).at(-1)).toMatchInlineSnapshot(
      `"skipped API server: The ClusterIP of the API server takes no connection: no answer in 5 s. It needs ClusterIPs."`,
    );
    const without: ReachFacts = { ...facts, services: undefined, dns: undefined };
    expect(troubles(everywhere(without, { service: silent, api: silent }), without).at(-1)).toMatchInlineSnapshot(
      `"failed API server: The ClusterIP of the API server takes no connection: no answer in 5 s. → Attach again with --api-server-for-pods HOST[:PORT]."`,
    );
  });

  it('musl and glibc differ', () => {
    const musl = { hops: { 'cluster-name': 'failed after 0 s' }, resolvers: '10.0.0.10 168.63.129.16' };
    const glibc = { hops: {}, resolvers: '10.0.0.10 168.63.129.16' };
    expect(troubles(reportsOf(flat, { musl, glibc }), flat)).toMatchInlineSnapshot(`
      [
        "failed musl and glibc: Not in an image of musl, but in the other one: names of the cluster; the pod has the name servers 10.0.0.10, 168.63.129.16, and musl takes the first answer of any. → Name only servers that know the same names: attach again with --dns, and take others out of the dnsConfig of pods. A pod with Azure Files has two: there an image of glibc helps.",
      ]
    `);
    const alone = reportsOf(flat, { musl: { hops: musl.hops } });
    expect(troubles(alone, flat).map((text) => text.split(':')[0])).toEqual(['warning musl and glibc']);
    expect(troubles(reportsOf(flat, { glibc: { hops: { pod: silent } } }), flat)).toMatchInlineSnapshot(`
      [
        "warning musl and glibc: Not in an image of glibc, but in the other one: the pod 10.244.0.5:53. → They share one network: it comes and goes. Run it again.",
      ]
    `);
  });

  it('what init containers do not reach yet', () => {
    expect(troubles(reportsOf(flat, { init: { hops: noServices } }), flat)).toMatchInlineSnapshot(`
      [
        "warning init phase: Not in init containers, but later: the name server 10.0.0.10, names of the cluster, the name app.example, the API server's name, the API server, app.example:443, the ClusterIP 10.0.0.1:443. → ACI's kube-proxy starts after them: an init container that waits for a Service waits for ever, and one that asks for a name fails. Let the container itself wait, or attach again with a --dns that is no ClusterIP.",
      ]
    `);
    expect(troubles(reportsOf(direct, { init: { hops: { outside: silent } } }), direct).at(-1)).toMatchInlineSnapshot(
      `"warning init phase: Not in init containers, but later: app.example:443. → The network of the group comes after them: let an init container try again, or the container itself wait."`,
    );
  });

  it('a log that could not be read', () => {
    const reports = { ...everywhere(flat, {}), musl: unreadable('No log.'), init: unreadable('No log.') };
    expect(troubles(reports, flat)).toEqual(['skipped musl and glibc: No log.', 'skipped init phase: No log.']);
  });

  it('an image without tools', () => {
    const reports = everywhere(
      flat,
      Object.fromEntries(Object.keys(allHops(flat)).map((hop) => [hop, 'skipped no getent'])),
    );
    expect(new Set(checks(reports, flat).map(({ verdict }) => verdict))).toEqual(new Set(['skipped']));
    expect(troubles(reports, flat)[0]).toBe('skipped ClusterIPs: It was not tried: no getent.');
  });
});

describe('one cause is one failed check', () => {
  const hops = (facts: ReachFacts) => Object.keys(allHops(facts));
  const fault = (hop: string, index: number): string =>
    hop.endsWith('-name') ? (index % 2 ? 'failed after 0 s' : 'failed after 15 s') : silent;

  it.each([
    ['flat', flat],
    ['direct', direct],
    ['an address for the API server', { ...flat, apiServer: { host: '20.0.0.2', port: 443 } }],
    ['nothing registered', { ...flat, dns: undefined, services: undefined }],
    ['a ClusterIP for the API server', { ...flat, apiServer: undefined }],
  ] as const)('whatever fails: %s', (_, facts: ReachFacts) => {
    const names = hops(facts);
    for (let set = 1; set < 2 ** names.length; set++) {
      const broken = names.filter((__, index) => (set >> index) % 2 === 1);
      const found = checks(everywhere(facts, Object.fromEntries(broken.map((hop) => [hop, fault(hop, set)]))), facts);
      const told = found.filter(({ verdict }) => verdict === 'failed' || verdict === 'warning');
      const expected = facts.services === undefined ? broken.filter((hop) => hop !== 'service') : broken;
      expect({ broken, isTold: told.length > 0 }).toEqual({ broken, isTold: expected.length > 0 });
      // What follows is skipped, never fine.
      expect(told.length).toBeLessThanOrEqual(broken.length);
    }
  });

  it('each sentence is whole, and what is to be fixed says how', () => {
    for (const { verdict, found, fix } of checks(everywhere(flat, noServices), flat)) {
      expect(found).toMatch(/\.$/);
      expect(fix !== undefined).toBe(verdict === 'failed' || verdict === 'warning');
    }
  });
});
