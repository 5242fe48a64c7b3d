import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { markFormer } from '../../../infra/cli/attach/perform-services.ts';
import { attachOptions, parseAttachWants } from '../../../infra/cli/attach/wants.ts';
import type { ApiRequest } from '../../../infra/cli/cluster/api.ts';
import type { CredentialSecret } from '../../../infra/cli/cluster/services-credentials.ts';
import { createContext } from '../../../infra/cli/context.ts';
import { parseOptions } from '../../../infra/cli/options.ts';
import { createOutput } from '../../../infra/cli/output.ts';
import { parseRegistrations } from '../../../shared/wire/settings.ts';
import { clusterUid, registration } from '../../fixtures/settings.ts';
import { facts, noReach } from './attach-facts.ts';

const services = { clusterCidr: '10.0.0.0/8', credential: 'services-a' };
const clusters = [{ ...registration([{ name: 'a' }]), services }];
const parsed = parseRegistrations(JSON.stringify({ clusters }));
const registered = parsed.ok ? parsed.clusters : [];
const secret: CredentialSecret = { name: 'services-a', uid: 'u', hasToken: true, createdMs: 0, pods: [] };

async function mark(isAllowed: boolean, formerMs: number | undefined, ...args: readonly string[]) {
  const requests: ApiRequest[] = [];
  let said = '';
  const stream = { write: (text: string) => void (said += text) };
  const made = createContext({
    options: parseOptions([], {}),
    out: createOutput({ stdout: stream, stderr: stream, format: 'table', environment: {} }),
    environment: {},
    signal: new AbortController().signal,
    stdin: () => Readable.from([]),
  });
  const send = (request: ApiRequest) => {
    requests.push(request);
    return Promise.resolve(
      isAllowed
        ? ({ kind: 'answered', status: 200, text: '{}' } as const)
        : ({ kind: 'forbidden', message: 'you may not' } as const),
    );
  };
  const seen = formerMs === undefined ? secret : { ...secret, formerMs };
  await markFormer(
    { ...made, api: { ...made.api, send } },
    {
      wants: parseAttachWants(parseOptions(['--nodes', 'a', '--namespace', 'sk', ...args], attachOptions)),
      facts: {
        ...facts,
        cluster: { ...facts.cluster, uid: clusterUid },
        registered,
        reach: { ...noReach, hasSubnet: true, secrets: [seen] },
      },
    },
  );
  return { bodies: requests.map(({ method, path, body }) => ({ method, path, body })), said };
}

const since = { 'serverless-kubelet.io/former-since': expect.stringMatching(/^20\d\d-.*Z$/) };
it.each<[string, number | undefined, string[], object | undefined]>([
  ['is one no more', undefined, ['--services', 'off'], since],
  ['stays one', undefined, [], undefined],
  ['is one again', 0, [], {}],
])('the Secret that the registration named %s', async (_, formerMs, args, annotations) => {
  const path = '/api/v1/namespaces/sk/secrets/services-a?fieldManager=serverless-kubelet&force=true';
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'services-a', uid: 'u', annotations } };
  expect((await mark(true, formerMs, ...args)).bodies).toEqual(
    annotations === undefined ? [] : [{ method: 'PATCH', path, body }],
  );
});

it('a Secret that nobody may write on stays, with a warning', async () =>
  expect((await mark(false, undefined, '--services', 'off')).said).toMatch(/services-a stays, .*: you may not/));
