import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ContainerInstanceManagementClient } from '@azure/arm-containerinstance';
import type { ContainerGroup } from '@azure/arm-containerinstance';
import type { TokenCredential } from '@azure/core-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRealClock } from '../../infra/local/aci/clock.ts';
import { startEmulator } from '../../infra/local/aci/emulator.ts';
import type { RunningEmulator } from '../../infra/local/aci/emulator.ts';
import { ScriptedRuntime } from '../../infra/local/aci/runtime/scripted.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import type { KeyPair } from '../../infra/local/pki.ts';
import { ExecClient } from '../local/aci/exec-client.ts';

/** The real SDK, over TLS sockets, against the emulator with a scripted runtime on the real clock. */
const subscription = '11111111-1111-4111-8111-111111111111';
const tokenAnswer = z.object({ access_token: z.string(), expires_on: z.string(), client_id: z.string() });

const readyLine = z.object({
  ready: z.literal(true),
  armUrl: z.string(),
  identityUrl: z.string(),
  identityHeader: z.string(),
  adminUrl: z.string(),
  execUrl: z.string().startsWith('wss://127.0.0.1:'),
});

let emulator: RunningEmulator;
let ca: string;
let certificate: KeyPair;

beforeAll(async () => {
  const authority = await createCertificateAuthority('emulator test');
  certificate = await issueCertificate(authority, {
    commonName: 'management.local',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
  });
  ca = authority.certPem;
  const clock = createRealClock();
  emulator = await startEmulator({
    runtime: new ScriptedRuntime({ clock, images: { gone: { pullFault: { reason: 'not-found', message: 'x' } } } }),
    clock,
    subscriptionId: subscription,
    resourceGroups: ['rg'],
    locations: ['westeurope'],
    tls: { cert: certificate.certPem, key: certificate.keyPem },
    knobs: { timingsScale: 0, pageSize: 2 },
    // The app's own roles have only what the app does; the SDK has more.
    principals: [
      { clientId: 'sdk', objectId: 'sdk', assignments: [{ actions: ['*'], scope: `/subscriptions/${subscription}` }] },
    ],
  });
});

afterAll(async () => {
  await emulator.close();
});

const identity: TokenCredential = {
  getToken: async (scopes) => {
    const scope = typeof scopes === 'string' ? scopes : (scopes[0] ?? '');
    const resource = encodeURIComponent(scope.replace('/.default', ''));
    const answer = await fetch(`${emulator.identityUrl}?api-version=2019-08-01&resource=${resource}`, {
      headers: { 'X-IDENTITY-HEADER': emulator.identityHeader },
    });
    const token = tokenAnswer.parse(await answer.json());
    return { token: token.access_token, expiresOnTimestamp: Number(token.expires_on) * 1000 };
  },
};

function client(credential: TokenCredential = identity, maxRetries = 1): ContainerInstanceManagementClient {
  const options = { endpoint: emulator.armUrl, retryOptions: { maxRetries } };
  const made = new ContainerInstanceManagementClient(credential, subscription, options);
  // A policy is the way to trust a CA of one's own in a running process.
  made.pipeline.addPolicy({
    name: 'emulatorCa',
    sendRequest: (request, next) => {
      request.tlsSettings = { ca };
      return next(request);
    },
  });
  return made;
}

function group(image = 'alpine', command?: string[]): ContainerGroup {
  const container = { name: 'c', image, resources: { requests: { cpu: 1, memoryInGB: 1 } } };
  return {
    location: 'West Europe',
    osType: 'Linux',
    restartPolicy: 'Never',
    containers: [command === undefined ? container : { ...container, command }],
    tags: { uid: 'u1' },
  };
}

async function inject(rule: object): Promise<void> {
  await fetch(`${emulator.adminUrl}/_emulator/faults`, { method: 'POST', body: JSON.stringify(rule) });
}

const poll = { updateIntervalInMs: 20 };

describe('the emulator as a process', () => {
  it('says in one line of JSON when it is ready, and ends with 0 when its stdin closes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'emulator-'));
    await writeFile(join(folder, 'cert.pem'), certificate.certPem);
    await writeFile(join(folder, 'key.pem'), certificate.keyPem);
    const main = fileURLToPath(new URL('../../infra/local/aci/main.ts', import.meta.url));
    const names = ['--subscription', subscription, '--resource-group', 'rg', '--location', 'westeurope'];
    const files = ['--state', folder, '--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')];
    const child = spawn(process.execPath, [main, '--runtime', 'scripted', ...names, ...files], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    const [line] = z.tuple([z.string()]).parse(await once(createInterface({ input: child.stdout }), 'line'));
    const ready = readyLine.parse(JSON.parse(line));
    const groups = await fetch(`${ready.adminUrl}/_emulator/groups`);
    expect(await groups.json()).toEqual({ groups: [] });
    child.stdin.end();
    expect(await exit).toEqual([0, null]);
    await rm(folder, { recursive: true });
  });
});

describe('K. the SDK against the emulator', () => {
  it('12 97 98 create, get, stop, start, restart and delete complete through the SDK', async () => {
    const aci = client().containerGroups;
    const made = await aci.beginCreateOrUpdateAndWait('rg', 'life', group(), poll);
    expect(made.provisioningState).toBe('Succeeded');
    expect(made.instanceView?.state).toBe('Running');
    expect(made.location).toBe('West Europe');
    await aci.stop('rg', 'life');
    const stopped = await aci.get('rg', 'life');
    expect(stopped.instanceView?.state).toBe('Stopped');
    expect(stopped.containers[0]?.instanceView).toBeUndefined();
    await aci.beginStartAndWait('rg', 'life', poll);
    await aci.beginRestartAndWait('rg', 'life', poll);
    expect((await aci.get('rg', 'life')).instanceView?.state).toBe('Running');
    const last = await aci.beginDeleteAndWait('rg', 'life', poll);
    expect(last.name).toBe('life');
    await aci.beginDeleteAndWait('rg', 'life', poll);
  });

  it('96 a poller rebuilt from its text finishes without a second PUT', async () => {
    const aci = client().containerGroups;
    const first = await aci.beginCreateOrUpdate('rg', 'resumed', group(), poll);
    const resumed = await client().containerGroups.beginCreateOrUpdate('rg', 'resumed', group(), {
      ...poll,
      resumeFrom: first.toString(),
    });
    expect((await resumed.pollUntilDone()).name).toBe('resumed');
    const puts = emulator.core.state.journal.requests.all().filter((r) => r.method === 'PUT' && /resumed/.test(r.path));
    expect(puts).toHaveLength(1);
    await aci.beginDeleteAndWait('rg', 'resumed', poll);
  });

  it('99 a failed operation is a plain error whose events only the raw answer shows', async () => {
    await inject({ method: 'PUT', capacity: 'async' });
    const bodies: string[] = [];
    const failed = client().containerGroups.beginCreateOrUpdateAndWait('rg', 'nocap', group(), {
      ...poll,
      onResponse: (raw) => bodies.push(raw.bodyAsText ?? ''),
    });
    await expect(failed).rejects.toThrow('The long-running operation has failed');
    expect(bodies.join('\n')).toContain('InsufficientCapacity.');
    await client().containerGroups.beginDeleteAndWait('rg', 'nocap', poll);
  });

  it('100 paging yields every group once, and errors carry code and status', async () => {
    const aci = client().containerGroups;
    const names = ['p1', 'p2', 'p3', 'p4', 'p5'];
    for (const name of names) await aci.beginCreateOrUpdateAndWait('rg', name, group(), poll);
    const seen: (string | undefined)[] = [];
    for await (const item of aci.listByResourceGroup('rg')) {
      seen.push(item.name);
      expect(item.instanceView).toBeUndefined();
    }
    expect(seen).toEqual(names);
    await expect(aci.get('rg', 'none')).rejects.toMatchObject({ code: 'ResourceNotFound', statusCode: 404 });
    await expect(aci.beginCreateOrUpdate('rg', 'bad', group('gone'))).rejects.toMatchObject({
      code: 'InaccessibleImage',
      statusCode: 400,
    });
    await inject({ method: 'PUT', capacity: 'sync' });
    await expect(aci.beginCreateOrUpdate('rg', 'full', group())).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      statusCode: 409,
    });
    await inject({
      method: 'GET',
      path: 'containerGroups/p1',
      status: 429,
      code: 'TooManyRequests',
      retryAfterSeconds: 0,
    });
    expect((await aci.get('rg', 'p1')).name).toBe('p1');
    await Promise.all(names.map((name) => aci.beginDeleteAndWait('rg', name, poll)));
  });

  it('81 a PUT whose answer is lost has taken effect', async () => {
    await inject({ method: 'PUT', drop: 'after' });
    const once = client(identity, 0);
    await expect(once.containerGroups.beginCreateOrUpdate('rg', 'lost', group())).rejects.toThrow(/socket|ECONNRESET/);
    expect((await client().containerGroups.get('rg', 'lost')).name).toBe('lost');
    await client().containerGroups.beginDeleteAndWait('rg', 'lost', poll);
  });

  it('84 logs, usages, capabilities and operations answer through the SDK', async () => {
    const script = JSON.stringify({ runs: [{ runMs: 20, logs: [{ atMs: 0, line: 'hello' }] }] });
    await client().containerGroups.beginCreateOrUpdateAndWait('rg', 'talks', group('alpine', ['script', script]), poll);
    await expect
      .poll(async () => (await client().containerGroups.get('rg', 'talks')).instanceView?.state)
      .toBe('Succeeded');
    expect((await client().containers.listLogs('rg', 'talks', 'c')).content).toBe('hello\n');
    const usages = new Map<string | undefined, number | undefined>();
    for await (const row of client().location.listUsage('westeurope')) usages.set(row.name?.value, row.currentValue);
    expect(usages.get('ContainerGroups')).toBe(1);
    const capabilities = [];
    for await (const row of client().location.listCapabilities('westeurope')) capabilities.push(row.location);
    expect(capabilities).toContain('WESTEUROPE');
    await client().containerGroups.beginDeleteAndWait('rg', 'talks', poll);
  });

  it('88 91 exec and attach answer through the SDK, and lead where they say', async () => {
    await client().containerGroups.beginCreateOrUpdateAndWait('rg', 'shows', group(), poll);
    const { containers } = client();
    const terminalSize = { rows: 30, cols: 100 };
    const exec = await containers.executeCommand('rg', 'shows', 'c', { command: 'sh', terminalSize });
    const attach = await containers.attach('rg', 'shows', 'c');
    expect(exec.webSocketUri).toMatch(/\/execstream\/sessionId\/[^/]+\?api-version=1\.0&rows=30&cols=100$/);
    expect(attach.webSocketUri).toMatch(/\/logstream\/sessionId\/[^/]+\?api-version=1\.0$/);
    for (const { webSocketUri } of [exec, attach]) expect(webSocketUri?.startsWith(emulator.execUrl)).toBe(true);
    const { webSocketUri = '', password = '' } = exec;
    const terminal = await ExecClient.enter({ webSocketUri, password }, ca);
    terminal.type('hello\r');
    await terminal.shows('hello\r\n');
    const log = await ExecClient.follow(
      { webSocketUri: attach.webSocketUri ?? '', password: attach.password ?? '' },
      ca,
    );
    await client().containerGroups.beginDeleteAndWait('rg', 'shows', poll);
    expect(await Promise.all([terminal.closed, log.closed])).toEqual([1000, 1000]);
    await expect(containers.attach('rg', 'shows', 'c')).rejects.toMatchObject({ statusCode: 404 });
  });

  it('3 a token for another audience is refused', async () => {
    const other: TokenCredential = { getToken: () => identity.getToken('https://elsewhere.example/.default') };
    const wrong = client(other, 0);
    await expect(wrong.containerGroups.get('rg', 'x')).rejects.toMatchObject({ statusCode: 401 });
  });
});
