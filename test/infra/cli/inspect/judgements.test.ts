import { describe, expect, it } from 'vitest';
import {
  judgeApp,
  judgeBodyLimit,
  judgeIdentity,
  judgeLogin,
  judgeProvider,
  judgeQuota,
  judgeSubnet,
  prefixSize,
} from '../../../../infra/cli/inspect/azure-judgements.ts';
import type { AppFacts, SubnetFacts } from '../../../../infra/cli/inspect/azure-judgements.ts';
import { parseApp } from '../../../../infra/cli/inspect/azure-objects.ts';
import { doctorExitCode, failed, good, skipped, warned } from '../../../../infra/cli/inspect/check.ts';
import type { Check } from '../../../../infra/cli/inspect/check.ts';
import { judgeClocks } from '../../../../infra/cli/inspect/clock-judgement.ts';
import { rightReviews, subjectOf } from '../../../../infra/cli/inspect/app-rights.ts';
import { parseService } from '../../../../infra/cli/inspect/relay-objects.ts';
import {
  judgeAddress,
  judgeAdmission,
  judgeChart,
  judgeClusterUid,
  judgeKubeletPort,
  judgeLeader,
  judgeReach,
  judgeRelay,
  judgeRights,
  judgeVersion,
} from '../../../../infra/cli/inspect/cluster-judgements.ts';
import { judgeGrants, judgePull } from '../../../../infra/cli/inspect/identity-judgements.ts';
import { judgeOwnHost, judgePodsWay, judgeServiceWay } from '../../../../infra/cli/inspect/pods-way-judgement.ts';
import { brokenAt } from '../../../../infra/cli/inspect/reach.ts';
import { covers, judgeRole, matches } from '../../../../infra/cli/inspect/role-judgements.ts';
import type { Grant, RoleNeed } from '../../../../infra/cli/inspect/role-judgements.ts';
import type { PodGrant } from '../../../../shared/core/pod/grant.ts';
import { read, unreadable } from '../../../../infra/cli/inspect/observed.ts';

type Row = readonly [check: Check, verdict: Check['verdict'], found: RegExp];

const app: AppFacts = {
  state: 'Running',
  isEnabled: true,
  systemPrincipalId: 'p-1',
  userIdentities: [{ id: '/i/own', clientId: 'C-1', principalId: 'p-2' }],
};
const managed = { ARM_CREDENTIAL: 'managed-identity' };
const aci = 'Microsoft.ContainerInstance/containerGroups';
const subnet = (changes: Partial<SubnetFacts>): Check =>
  judgeSubnet(read({ delegations: [aci], prefixes: ['10.0.0.0/24'], used: 0, ...changes }));
const quota = (used: number, limit: number): Check =>
  judgeQuota(read([{ name: 'ContainerGroups', current: used, limit }]), 'westeurope')[0] ?? good('none', '');
const need: RoleNeed = {
  name: 'role',
  scope: '/subscriptions/s/resourceGroups/pods',
  kind: 'actions',
  wanted: [`${aci}/read`, `${aci}/stop/action`],
  meaning: 'no pod runs',
  role: { madeBy: 'azure', name: 'the role' },
};
const grant = (scope: string, actions: readonly string[], notActions: readonly string[] = []): Grant => ({
  role: 'r',
  scope,
  actions,
  notActions,
  dataActions: [],
  notDataActions: [],
});
const role = (...grants: readonly Grant[]): Check => judgeRole(need, read(grants), 'p-1');
const clock = (...seconds: readonly number[]): Check =>
  judgeClocks(seconds.map((ahead, index) => ({ whose: `c${String(index)}`, aheadSeconds: read(ahead) })));
const way = { host: 'h', port: 443 };
const bodyLimit = (text: string): Check => judgeBodyLimit({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: text });
const node = { address: '10.0.0.7', port: 10_250 };

const other = { id: '/i/pull', clientId: 'C-9', principalId: 'p-9' };
const pulling = { 'prodimages.azurecr.io': other.id };
/** Of the settings, and of an app that has its own identity and another one. */
const pull = (changes: Partial<Parameters<typeof judgePull>[0]>, identities = [...app.userIdentities, other]): Check =>
  judgePull(
    { AZURE_CLIENT_ID: 'c-1', REGISTRY_PULL_CLIENT_ID: 'c-9', REGISTRY_PULL_IDENTITIES: pulling, ...changes },
    identities,
  )[0] ?? good('none', 'no check');
const podGrant = {
  namespace: 'team-a',
  identities: ['/i/reports'],
  subnets: [],
  logAnalytics: ['audit'],
  publicAddress: false,
};
const grants = (...some: readonly PodGrant[]): Check =>
  judgeGrants({ name: 'prod', grants: [...some] }, { workspaces: { audit: {} }, own: '/I/OWN' }) ??
  good('none', 'no check');

const rows: readonly Row[] = [
  [pull({}), 'ok', /asks registries as c-9. ACI pulls from prodimages.azurecr.io as pull/],
  [pull({ REGISTRY_PULL_IDENTITIES: {} }), 'ok', /ACI pulls with pull secrets alone/],
  [pull({ REGISTRY_PULL_CLIENT_ID: undefined, REGISTRY_PULL_IDENTITIES: {} }), 'ok', /no check/],
  [
    pull({ REGISTRY_PULL_CLIENT_ID: undefined }),
    'warning',
    /CLIENT_ID is not set: ACI pulls from prodimages.azurecr.io, and the app/,
  ],
  [pull({ REGISTRY_PULL_CLIENT_ID: 'C-1' }), 'failed', /REGISTRY_PULL_CLIENT_ID is the app's own identity/],
  [pull({ REGISTRY_PULL_IDENTITIES: { 'x.azurecr.io': '/I/Own' } }), 'failed', /IDENTITIES is the app's own identity/],
  [pull({}, [...app.userIdentities]), 'failed', /does not have the identity of REGISTRY_PULL_CLIENT_ID c-9/],
  [
    judgePull(
      { AZURE_CLIENT_ID: undefined, REGISTRY_PULL_CLIENT_ID: 'c-9', REGISTRY_PULL_IDENTITIES: {} },
      undefined,
    )[0] ?? good('', ''),
    'ok',
    /c-9/,
  ],
  [grants(), 'ok', /no check/],
  [grants(podGrant, { ...podGrant, namespace: '*' }), 'ok', /2, to pods of team-a, every namespace/],
  [
    grants({ ...podGrant, logAnalytics: ['audit', 'x', 'x'] }),
    'warning',
    /They name x, which LOG_ANALYTICS_WORKSPACES has not/,
  ],
  [grants(podGrant, { ...podGrant, identities: ['/i/Own'] }), 'failed', /to team-a names the app's own identity/],
  [judgeLogin(unreadable('az is not on PATH.')), 'failed', /not on PATH/],
  [judgeLogin(read({ subscriptionId: 's', user: 'me', state: 'Enabled' })), 'ok', /me in subscription s/],
  [judgeLogin(read({ subscriptionId: 's', user: 'me', state: 'Disabled' })), 'failed', /Disabled/],
  [judgeApp(read(app), 'a'), 'ok', /a is running/],
  [judgeApp(read({ ...app, state: 'Stopped' }), 'a'), 'failed', /a is Stopped/],
  [judgeApp(read({ ...app, isEnabled: false }), 'a'), 'failed', /a is disabled/],
  [judgeApp(unreadable('no such app.'), 'a'), 'failed', /no such app/],
  [bodyLimit('1048576'), 'ok', /at most 1048576 bytes/],
  [bodyLimit('8000000'), 'warning', /It needs 1048576/],
  [bodyLimit('1000'), 'failed', /The relay's posts need more/],
  [bodyLimit('1MB'), 'failed', /not a number/],
  [bodyLimit(''), 'failed', /anybody may send the app 100 MB/],
  [judgeBodyLimit({}), 'failed', /anybody may send the app 100 MB/],
  [judgeIdentity(app, managed).check, 'ok', /system-assigned identity p-1/],
  [judgeIdentity({ ...app, systemPrincipalId: undefined } as never, managed).check, 'failed', /no system-assigned/],
  [judgeIdentity(app, { ...managed, AZURE_CLIENT_ID: 'c-1' }).check, 'ok', /user-assigned identity p-2/],
  [judgeIdentity(app, { ...managed, AZURE_CLIENT_ID: 'c-9' }).check, 'failed', /does not have/],
  [judgeIdentity(app, { ARM_CREDENTIAL: 'default' }).check, 'warning', /ARM_CREDENTIAL/],
  [judgeProvider(read('Registered')), 'ok', /registered/],
  [judgeProvider(read('NotRegistered')), 'failed', /NotRegistered/],
  [quota(10, 100), 'ok', /90 of 100/],
  [quota(91, 100), 'warning', /9 of 100/],
  [quota(100, 100), 'failed', /0 of 100/],
  [quota(0, 0), 'failed', /no quota/],
  [judgeQuota(unreadable('denied.'), 'r')[0] ?? good('', ''), 'skipped', /denied/],
  [subnet({}), 'ok', /about 251/],
  [subnet({ delegations: [] }), 'failed', /delegated to nobody/],
  [subnet({ delegations: ['Microsoft.App/environments'] }), 'failed', /Microsoft.App/],
  [subnet({ used: 245 }), 'warning', /about 6/],
  [subnet({ used: 251 }), 'failed', /about 0/],
  [subnet({ routeTable: '/rt' }), 'warning', /route table/],
  [judgeSubnet(unreadable('there is no resource of that name there.')), 'failed', /no resource/],
  [judgeSubnet(unreadable('your account has no role that allows this.')), 'skipped', /no role/],
  [role(), 'failed', /may not .*read.*stop\/action at resource group pods: no pod runs/],
  [judgeRole({ ...need, role: { madeBy: 'deployment' } }, read([]), 'p-1'), 'failed', /may not/],
  [role(grant(need.scope, ['*'])), 'ok', /all that it needs/],
  [role(grant('/subscriptions/S', [`${aci}/*`])), 'ok', /all that it needs/],
  [role(grant(need.scope, [`${aci}/read`]), grant('/subscriptions/s', [`${aci}/stop/action`])), 'ok', /./],
  [role(grant(need.scope, ['*'], [`${aci}/stop/action`])), 'failed', /may not [^,]*stop\/action at/],
  [role(grant('/subscriptions/s/resourceGroups/other', ['*'])), 'failed', /somewhere else/],
  [role(grant('/subscriptions/s/resourceGroups/pods2', ['*'])), 'failed', /somewhere else/],
  [judgeRole(need, unreadable('no right.'), 'p'), 'skipped', /no right/],
  [judgeReach('n', 'h', { at: 'dns', reason: 'ENOTFOUND' }), 'failed', /DNS does not know h/],
  [judgeReach('n', 'h', { at: 'tcp', reason: 'ECONNREFUSED' }), 'failed', /takes no connection/],
  [judgeReach('n', 'h', { at: 'tls', reason: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'failed', /not trusted/],
  [judgeReach('n', 'h', { at: 'http', reason: 'ECONNRESET' }), 'failed', /no answer/],
  [judgeReach('n', 'h', { at: 'answered', status: 401 }), 'ok', /reached/],
  [judgeReach('n', 'h', { at: 'answered', status: 503 }), 'failed', /503/],
  [judgeServiceWay('n', undefined, false), 'warning', /ClusterIP/],
  [judgeServiceWay('n', 'service', false), 'ok', /as the registration says/],
  [judgeServiceWay('n', undefined, true), 'ok', /as any other Service/],
  [judgeOwnHost('n', { host: '127.0.0.1', port: 443 }) ?? good('n', ''), 'failed', /own address/],
  [judgeOwnHost('n', way) ?? good('n', 'asked'), 'ok', /asked/],
  [judgePodsWay('n', way, { at: 'dns', reason: 'ENOTFOUND' }), 'failed', /DNS does not know h here/],
  [judgePodsWay('n', way, { at: 'tcp', reason: 'ECONNREFUSED' }), 'failed', /h:443 takes no connection from here/],
  [judgePodsWay('n', way, { at: 'tls', reason: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'failed', /does not name h/],
  [
    judgePodsWay('n', way, { at: 'tls', reason: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    'failed',
    /not of the cluster's authority/,
  ],
  [judgePodsWay('n', way, { at: 'http', reason: 'ECONNRESET' }), 'failed', /no answer/],
  [judgePodsWay('n', way, { at: 'answered', status: 401 }), 'ok', /certificate names it; not known from here/],
  [judgePodsWay('n', way, { at: 'answered', status: 503 }), 'failed', /503/],
  [judgeVersion('n', read('v1.29.9'), 'v1.29.9'), 'failed', /v1.29.9/],
  [judgeVersion('n', read('v1.30.0'), 'v1.30.2'), 'ok', /v1.30.0/],
  [judgeVersion('n', read('v1.36.3'), 'v1.35.0'), 'warning', /registered is v1.35.0/],
  [judgeVersion('n', read('v1.37.0'), 'v1.37.0'), 'warning', /v1.37.0/],
  [judgeVersion('n', read('2.0'), 'v1.36.0'), 'warning', /2.0/],
  [judgeClusterUid('n', read('a'), 'a'), 'ok', /attached/],
  [judgeClusterUid('n', read('b'), 'a'), 'failed', /another cluster \(b\)/],
  [judgeRights('n', 'app', read([{ right: 'get nodes a', allowed: true }])), 'ok', /its 1 rights/],
  [
    judgeRights(
      'n',
      'app',
      read([
        { right: 'get nodes a', allowed: true },
        { right: 'delete nodes a', allowed: false },
      ]),
    ),
    'failed',
    /app may not delete nodes a\./,
  ],
  [judgeRights('n', 'app', unreadable('forbidden.')), 'skipped', /forbidden/],
  [judgeRelay('n', read({ ready: 2, available: 2, replicas: 2, chart: '' }), 'ns'), 'ok', /2 of 2/],
  [judgeRelay('n', read({ ready: 1, available: 1, replicas: 2, chart: '' }), 'ns'), 'warning', /1 of 2/],
  [judgeRelay('n', read({ ready: 0, available: 0, replicas: 2, chart: '' }), 'ns'), 'failed', /0 of 2/],
  [judgeRelay('n', read(undefined), 'ns'), 'failed', /no Deployment/],
  [judgeLeader('n', read({ holder: 'relay-1', ageSeconds: 4 }), 'ns'), 'ok', /relay-1 leads/],
  [judgeLeader('n', read({ holder: 'relay-1', ageSeconds: 61 }), 'ns'), 'failed', /61 seconds/],
  [judgeLeader('n', read({ holder: '' }), 'ns'), 'failed', /No relay leads/],
  [judgeLeader('n', read(undefined), 'ns'), 'failed', /no Lease/],
  [judgeAddress('n', read({ addresses: ['10.0.0.7'], ports: [10_250] }), node), 'ok', /10.0.0.7:10250/],
  [judgeAddress('n', read({ addresses: ['10.0.0.8'], ports: [10_250] }), node), 'warning', /Service is at 10.0.0.8/],
  [judgeAddress('n', read({ addresses: ['10.0.0.7'], ports: [10_251] }), node), 'failed', /port 10250/],
  [judgeAddress('n', read(undefined), node), 'failed', /no Service/],
  [
    judgeChart('n', read({ ready: 1, available: 1, replicas: 1, chart: 'serverless-kubelet-0.1.0' }), '0.1.0'),
    'ok',
    /0.1.0/,
  ],
  [
    judgeChart('n', read({ ready: 1, available: 1, replicas: 1, chart: 'serverless-kubelet-0.0.9' }), '0.1.0'),
    'warning',
    /0.0.9/,
  ],
  [judgeChart('n', read(undefined), '0.1.0'), 'skipped', /no chart/],
  [judgeAdmission('n', read({ v1: ['validatingadmissionpolicies', 'mutatingadmissionpolicies'] })), 'ok', /v1/],
  [judgeAdmission('n', read({ v1: ['validatingadmissionpolicies'] })), 'warning', /no Mutating/],
  [judgeAdmission('n', read({ v1: [] })), 'warning', /no Validating/],
  [judgeKubeletPort('n', read('ok')), 'ok', /logs work/],
  [judgeKubeletPort('n', unreadable('dial tcp: i/o timeout')), 'failed', /i\/o timeout/],
  [judgeKubeletPort('n', unreadable('the API server answered 400: address not allowed')), 'skipped', /loopback/],
  [judgeKubeletPort('n', unreadable('nodes "a" is forbidden')), 'skipped', /forbidden/],
  [clock(0, 1, -2), 'ok', /within 3 s/],
  [clock(30, 0), 'ok', /within 30 s/],
  [clock(31, 0), 'warning', /servers' clocks differ/],
  [clock(-100, -101), 'warning', /This machine's clock is off/],
  [clock(), 'skipped', /No server/],
];

describe('what doctor makes of what it finds', () => {
  it.each(rows.map(([check, verdict, found]) => [verdict, check.found, { check, found }] as const))(
    '%s: %s',
    (verdict, _, { check, found }) => {
      expect(check.verdict).toBe(verdict);
      expect(check.found).toMatch(found);
      // Who is reported a fault is reported what to do.
      expect(check.fix !== undefined).toBe(verdict === 'failed' || verdict === 'warning');
    },
  );

  it('ends with 3 when something is to fix, with 1 when nothing could be checked', () => {
    expect(doctorExitCode([good('a', ''), skipped('b', '')])).toBe(0);
    expect(doctorExitCode([good('a', ''), warned('b', '', '')])).toBe(3);
    expect(doctorExitCode([skipped('a', ''), failed('b', '', '')])).toBe(3);
    expect(doctorExitCode([skipped('a', '')])).toBe(1);
  });
});

describe('doctor reads', () => {
  it.each([
    ['/', '/subscriptions/s', true],
    ['/subscriptions/s/', '/SUBSCRIPTIONS/S/resourceGroups/g', true],
    ['/providers/Microsoft.Management/managementGroups/m', '/subscriptions/s', true],
    ['/subscriptions/s/resourceGroups/g', '/subscriptions/s', false],
    ['/subscriptions/s/resourceGroups/g', '/subscriptions/s/resourceGroups/gg', false],
  ])('scope %s covers %s: %s', (granted, needed, expected) => {
    expect(covers(granted, needed)).toBe(expected);
  });
  it.each([
    ['*', 'a/b', true],
    ['*/read', 'a/b/READ', true],
    ['a.b/*', 'a.b/c', true],
    ['a.b/*', 'aXb/c', false],
    ['a/b', 'a/b/c', false],
    ['a/*/c', 'a/b/c', true],
    ['a/*/c', 'a/c', true],
    ['a/*/c', 'abc', false],
  ])('%s allows %s: %s', (pattern, action, expected) => {
    expect(matches(pattern, action)).toBe(expected);
  });
  it.each([
    ['10.0.0.0/24', 256],
    ['10.0.0.0/32', 1],
    ['fd00::/64', 0],
    ['10.0.0.0/33', 0],
  ])('%s has %d addresses', (prefix, size) => {
    expect(prefixSize(prefix)).toBe(size);
  });
  it.each([
    [
      { state: 'Running', identity: { principalId: 'p' } },
      { state: 'Running', systemPrincipalId: 'p' },
    ],
    [{ properties: { state: 'Stopped', enabled: false } }, { state: 'Stopped', isEnabled: false }],
    [{ identity: null }, { state: 'unknown', isEnabled: true, userIdentities: [] }],
  ])('an app of either shape: %j', (answer, expected) => {
    expect(parseApp(answer)).toMatchObject(expected);
  });
  it.each([
    [{ code: 'ENOTFOUND' }, false, 'dns'],
    [{ code: 'ECONNREFUSED' }, false, 'tcp'],
    [{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, false, 'tls'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, false, 'tls'],
    [{ code: 'ECONNRESET' }, true, 'http'],
    [{ code: 'ABORT_ERR' }, false, 'tcp'],
  ])('%j, connected: %s, is a fault of %s', (error, isConnected, at) => {
    expect(brokenAt(Object.assign(new Error('x'), error), isConnected).at).toBe(at);
  });
  it('knows who the app is: by its identity, or by the claims of its token', () => {
    const payload = Buffer.from(JSON.stringify({ sub: 'system:serviceaccount:ns:app' })).toString('base64url');
    const token = { auth: { kind: 'token', setting: 'T' } } as const;
    expect(subjectOf(token, { principalId: undefined, values: { T: `x.${payload}.y` } })).toEqual({
      user: 'system:serviceaccount:ns:app',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
    });
    expect(subjectOf(token, { principalId: 'p', values: { T: 'garbage' } })).toBeUndefined();
    expect(subjectOf({ auth: { kind: 'entra' } }, { principalId: 'p', values: {} })?.user).toBe('p');
    expect(subjectOf({ auth: { kind: 'entra' } }, { principalId: undefined, values: {} })).toBeUndefined();
  });
  it('asks for each right of the role by its name', () => {
    const reviews = rightReviews({ nodes: ['aci-1'], namespace: 'sk', services: false }, { user: 'u', groups: [] });
    expect(reviews.map(({ right }) => right)).toEqual([
      'impersonate users system:node:aci-1',
      'impersonate groups system:nodes',
      'get namespaces kube-system',
      'get nodes aci-1',
      'delete nodes aci-1',
      'patch nodes aci-1',
    ]);
    const withServices = rightReviews({ nodes: ['aci-1'], namespace: 'sk', services: true }, { user: 'u', groups: [] });
    expect(withServices.slice(reviews.length)).toEqual(
      ['services-a', 'services-b'].map((name) => ({
        right: `get secrets ${name}`,
        review: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: {
            user: 'u',
            groups: [],
            resourceAttributes: { verb: 'get', group: '', resource: 'secrets', name, namespace: 'sk' },
          },
        },
      })),
    );
  });
  it('takes every address of a Service', () => {
    const service = {
      spec: { clusterIP: '10.0.0.7', clusterIPs: ['10.0.0.7', 'fd00::7'], ports: [{ port: 10_250 }] },
      status: { loadBalancer: { ingress: [{ ip: '10.9.0.1' }] } },
    };
    expect(parseService(service)).toEqual({ addresses: ['10.0.0.7', 'fd00::7', '10.9.0.1'], ports: [10_250] });
    expect(parseService({ spec: { clusterIP: 'None' } })).toEqual({ addresses: [], ports: [] });
  });
});
