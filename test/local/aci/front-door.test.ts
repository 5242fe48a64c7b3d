import { describe, expect, it } from 'vitest';
import { createBench, groupBody, groupsPath, origin, subscription } from './harness.ts';

const version = '2023-05-01';

describe('A. front door', () => {
  it('1 without api-version: 400 MissingApiVersionParameter', async () => {
    const bench = createBench();
    const answer = await bench.request('GET', groupsPath, { version: '' });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'MissingApiVersionParameter']);
  });

  it('2 an unknown api-version: 400 NoRegisteredProviderFound from the gateway', async () => {
    const answer = await createBench().request('GET', groupsPath, { version: '1999-01-01' });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'NoRegisteredProviderFound']);
    expect(answer.headers['x-ms-failure-cause']).toBe('gateway');
  });

  it.each(['2018-10-01', '2019-12-01', '2021-10-01', version, '2024-05-01-preview', '2025-09-01'])(
    '2 api-version %s is accepted',
    async (v) => {
      expect((await createBench().request('GET', groupsPath, { version: v })).status).toBe(200);
    },
  );

  it('3 without a token: 401 with a challenge', async () => {
    const answer = await createBench().request('GET', groupsPath, { token: '' });
    expect([answer.status, answer.body.error.code]).toEqual([401, 'InvalidAuthenticationToken']);
    expect(answer.headers['WWW-Authenticate']).toMatch(/^Bearer authorization_uri=/);
  });

  it('3 an invented, a foreign or an expired token: 401', async () => {
    const bench = createBench({ knobs: { tokenLifetimeSeconds: 60 } });
    const [principal] = bench.core.state.principals;
    const foreign = principal === undefined ? '' : bench.core.state.tokens.issue(principal, 'https://vault').token;
    expect((await bench.request('GET', groupsPath, { token: 'abc' })).status).toBe(401);
    expect((await bench.request('GET', groupsPath, { token: foreign })).status).toBe(401);
    expect((await bench.request('GET', groupsPath)).status).toBe(200);
    await bench.clock.advance(60_000);
    expect((await bench.request('GET', groupsPath)).status).toBe(401);
  });

  it.each([origin, `${origin}/`, `${origin}/.default`, `${origin}//.default`])(
    '3 audience %s is ARM',
    async (audience) => {
      const bench = createBench();
      const [principal] = bench.core.state.principals;
      const token = principal === undefined ? '' : bench.core.state.tokens.issue(principal, audience).token;
      expect((await bench.request('GET', groupsPath, { token })).status).toBe(200);
    },
  );

  const provider = 'Microsoft.ContainerInstance';
  it.each([
    ['GET', '/g', `${provider}/containerGroups/read`],
    ['PUT', '/g', `${provider}/containerGroups/write`],
    ['PATCH', '/g', `${provider}/containerGroups/write`],
    ['DELETE', '/g', `${provider}/containerGroups/delete`],
    ['POST', '/g/stop', `${provider}/containerGroups/stop/action`],
    ['POST', '/g/start', `${provider}/containerGroups/start/action`],
    ['POST', '/g/restart', `${provider}/containerGroups/restart/action`],
    ['GET', '/g/containers/c/logs', `${provider}/containerGroups/containers/logs/read`],
    ['GET', '/g/providers/microsoft.insights/metrics', 'Microsoft.Insights/metrics/read'],
  ])('3 %s %s without a role: 403 AuthorizationFailed names %s', async (method, path, action) => {
    const principals = [{ clientId: 'app', objectId: 'oid', assignments: [] }];
    const answer = await createBench({ principals }).request(method, `${groupsPath}${path}`, { body: {} });
    expect([answer.status, answer.body.error.code]).toEqual([403, 'AuthorizationFailed']);
    expect(answer.body.error.message).toBe(
      `The client 'app' with object id 'oid' does not have authorization to perform action '${action}' over scope '${groupsPath}/g' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    );
  });

  it('3 a role ends where its scope ends, and wildcards match', async () => {
    const assignments = [
      { actions: [`${provider}/*/read`], scope: `/subscriptions/${subscription}/resourceGroups/RG` },
    ];
    const bench = createBench({ principals: [{ clientId: 'app', objectId: 'oid', assignments }] });
    const whole = `/subscriptions/${subscription}/providers/${provider}/containerGroups`;
    expect((await bench.request('GET', groupsPath)).status).toBe(200);
    expect((await bench.request('PUT', `${groupsPath}/g`, { body: groupBody() })).status).toBe(403);
    expect((await bench.request('GET', groupsPath.replace('/rg/', '/empty/'))).status).toBe(403);
    expect((await bench.request('GET', whole)).status).toBe(403);
  });

  it('4 path segments match in any case; ids have canonical casing and the names of creation', async () => {
    const bench = createBench();
    await bench.put('mygroup');
    const answer = await bench.request('GET', `${groupsPath.toLowerCase()}/MyGroup`);
    expect(answer.status).toBe(200);
    expect(answer.body.id).toBe(`${groupsPath}/mygroup`);
  });

  it('5 every answer has the standard headers', async () => {
    const bench = createBench();
    for (const answer of [await bench.get('none'), await bench.put('g'), await bench.get('g')]) {
      expect(answer.headers).toMatchObject({
        'Cache-Control': 'no-cache',
        Pragma: 'no-cache',
        Expires: '-1',
        'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
        'X-Content-Type-Options': 'nosniff',
        'Content-Type': 'application/json; charset=utf-8',
      });
      for (const name of ['x-ms-request-id', 'x-ms-correlation-request-id', 'x-ms-routing-request-id'])
        expect(answer.headers[name]).toMatch(/./);
    }
  });

  it('6 the client request id is echoed when asked for', async () => {
    const headers = { 'x-ms-client-request-id': 'abc', 'x-ms-return-client-request-id': 'true' };
    const answer = await createBench().request('GET', groupsPath, { headers });
    expect(answer.headers['x-ms-client-request-id']).toBe('abc');
  });

  it.each(['GET', 'PUT', 'DELETE'])(
    '7 9 %s in an unknown resource group: 404 ResourceGroupNotFound',
    async (method) => {
      const answer = await createBench().request(method, `${groupsPath.replace('/rg/', '/nope/')}/g`, {
        body: groupBody(),
      });
      // The default role reaches only its own groups: authorization is judged first, as ARM does.
      expect([answer.status, answer.body.error.code]).toEqual([403, 'AuthorizationFailed']);
      const assignments = [{ actions: ['*'], scope: `/subscriptions/${subscription}` }];
      const wide = createBench({ principals: [{ clientId: 'a', objectId: 'o', assignments }] });
      const found = await wide.request(method, `${groupsPath.replace('/rg/', '/nope/')}/g`, { body: groupBody() });
      expect([found.status, found.body.error.code]).toEqual([404, 'ResourceGroupNotFound']);
      expect(found.body.error.message).toBe("Resource group 'nope' could not be found.");
      expect(found.headers['x-ms-failure-cause']).toBe('gateway');
    },
  );

  it.each([true, false])('8 GET of an unknown group: 404 ResourceNotFound (link: %s)', async (notFoundSuffix) => {
    const answer = await createBench({ knobs: { notFoundSuffix } }).get('none');
    const suffix = notFoundSuffix ? ' For more details please go to https://aka.ms/ARMResourceNotFoundFix' : '';
    expect([answer.status, answer.body.error.code]).toEqual([404, 'ResourceNotFound']);
    expect(answer.body.error.message).toBe(
      `The Resource 'Microsoft.ContainerInstance/containerGroups/none' under resource group 'rg' was not found.${suffix}`,
    );
  });

  it.each([
    ['{', 'InvalidRequestContent'],
    [groupBody({}, { location: undefined }), 'LocationRequired'],
    [groupBody({}, { location: 'moon' }), 'LocationNotAvailableForResourceType'],
  ])('10 a body that ARM cannot take: 400', async (body, code) => {
    const answer = await createBench().request('PUT', `${groupsPath}/g`, { body });
    expect([answer.status, answer.body.error.code]).toEqual([400, code]);
  });

  it('11 unknown properties are ignored', async () => {
    expect((await createBench().put('g', groupBody({ novelty: { a: 1 } }, { extra: true }))).status).toBe(201);
  });

  it('another subscription: 404 SubscriptionNotFound', async () => {
    const answer = await createBench().request('GET', groupsPath.replace(subscription, 'other'));
    expect([answer.status, answer.body.error.code]).toEqual([404, 'SubscriptionNotFound']);
  });

  it('a path that is no operation: 404', async () => {
    expect((await createBench().request('GET', `${groupsPath}/g/nothing`)).status).toBe(404);
  });
});
