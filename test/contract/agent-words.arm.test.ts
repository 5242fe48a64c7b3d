/** The app's words over the wire: ARM's exec, a WebSocket over TLS, a terminal that echoes. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../infra/local/aci/clock.ts';
import { startEmulator } from '../../infra/local/aci/emulator.ts';
import { defaultExecKnobs } from '../../infra/local/aci/exec/knobs.ts';
import type { ExecKnobs } from '../../infra/local/aci/exec/knobs.ts';
import { ScriptedRuntime } from '../../infra/local/aci/runtime/scripted.ts';
import { createCertificateAuthority, issueCertificate } from '../../infra/local/pki.ts';
import { createAgentWords } from '../../shared/adapters/agent-words/agent-words.ts';
import { createArmContainerGroups } from '../../shared/adapters/arm/container-groups.ts';
import { agentWord } from '../../shared/core/agent/words.ts';
import { ok } from '../../shared/core/fault.ts';
import type { Result } from '../../shared/core/fault.ts';
import type { Spend } from '../../shared/ports/budgets.ts';
import { describeAgentWords, place, suiteAnswers } from './agent-words.suite.ts';
import { groupBody } from './container-groups.suite.ts';

const subscriptionId = '11111111-1111-4111-8111-111111111111';
const authority = await createCertificateAuthority('contract test');
const server = await issueCertificate(authority, {
  commonName: '127.0.0.1',
  ipAddresses: ['127.0.0.1'],
  usages: ['server'],
});
const { signal } = new AbortController();

const line = (answer: unknown): string => `${JSON.stringify(answer)}\r\n`;
const drains = Object.fromEntries(
  [30, 5].map((graceSeconds) => [JSON.stringify({ graceSeconds }), line(suiteAnswers.drain(graceSeconds))]),
);
const { bootId, phase, lastFault } = suiteAnswers.status;

const images = {
  'suite/speaks': {
    runs: [
      {
        terminals: {
          [agentWord.drain]: { answers: drains },
          [agentWord.refresh]: { prompt: line(suiteAnswers.refresh) },
          [agentWord.status]: {
            prompt: line({ ok: true, status: { bootId, state: { phase, restarts: 2 }, lastFault } }),
          },
        },
      },
    ],
  },
  'suite/bare': { runs: [{ terminals: {} }] },
  'suite/babbles': { runs: [{ terminals: { [agentWord.drain]: { prompt: 'x'.repeat(100_000) } } }] },
  'suite/hostile': {
    runs: [{ terminals: { [agentWord.refresh]: { prompt: '{"ok":1}\r\n\u001B[31mred\u0007\r\n', runMs: 0 } } }],
  },
  'suite/silent': { runs: [{ terminals: { [agentWord.drain]: {}, [agentWord.refresh]: { runMs: 0 } } }] },
  'suite/ends': { runs: [{ runMs: 5_000, exitCode: 0 }] },
};

async function start() {
  const clock = new VirtualClock(Date.now());
  const emulator = await startEmulator({
    runtime: new ScriptedRuntime({ clock, images }),
    subscriptionId,
    resourceGroups: ['rg'],
    locations: ['westeurope'],
    clock,
    knobs: { jitter: 0 },
    tls: { cert: server.certPem, key: server.keyPem },
  });
  const [principal] = emulator.core.state.principals;
  if (principal === undefined) throw new Error('the emulator has a principal');
  const { token } = emulator.core.state.tokens.issue(principal, emulator.armUrl);
  const spent: Spend[] = [];
  const groups = createArmContainerGroups({
    subscriptionId,
    resourceGroup: 'rg',
    location: 'westeurope',
    endpoint: emulator.armUrl,
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    budgets: { take: async (spend) => (spent.push(spend), ok(undefined)), report: async () => undefined },
    log: { info: () => undefined, warn: () => undefined },
    certificateAuthorityPem: authority.certPem,
  });
  for (const image of Object.keys(images)) {
    const put = await groups.createOrUpdate(image.replace('suite/', ''), groupBody(image), signal);
    if (!put.ok) throw new Error(put.fault.message);
  }
  await clock.advance(60_000);
  spent.length = 0;
  const words = createAgentWords({ groups, certificateAuthorityPem: authority.certPem });
  const turn = async (knobs: Partial<ExecKnobs>): Promise<void> => {
    const answer = await fetch(`${emulator.adminUrl}/_emulator/exec`, { method: 'POST', body: JSON.stringify(knobs) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return { words, spent, turn, clock, groups, close: () => emulator.close() };
}

describeAgentWords('ARM (emulator)', start);

const faultOf = (result: Result<unknown>): object => (result.ok ? { value: result.value } : result.fault);

describe('words to agents at ARM (emulator)', async () => {
  const cloud = await start();
  const { words, turn } = cloud;
  const to = (group: string) => ({ ...place, group });
  afterEach(() => turn(defaultExecKnobs));

  it('a word costs one write of those for words', async () => {
    cloud.spent.length = 0;
    await words.refresh(place, signal);
    expect(cloud.spent).toEqual(['write-word']);
  });

  it.each([
    ['as text', { execFrames: 'text' }],
    ['cut off behind the answer', { execCloseAbruptly: true }],
    ['where long messages are lost', { execMaxMessageBytes: 50 }],
  ] as const)('an answer is heard %s', async (_, knobs) => {
    await turn(knobs);
    expect(await words.drain(place, { graceSeconds: 30 }, signal)).toEqual(ok(suiteAnswers.drain(30)));
    expect(await words.refresh(place, signal)).toEqual(ok(suiteAnswers.refresh));
  });

  it('a container that has ended says so, and no agent did', async () => {
    const fault = { kind: 'rejected', code: 'AgentSilent' };
    expect(faultOf(await words.refresh(to('ends'), signal))).toMatchObject(fault);
  });

  it('a terminal that never ends its line is let go of', async () => {
    const fault = { kind: 'rejected', code: 'AgentSilent' };
    expect(faultOf(await words.drain(to('babbles'), { graceSeconds: 1 }, signal))).toMatchObject(fault);
  });

  it('what is no answer is shown without its control characters', async () => {
    const said = words.refresh(to('hostile'), signal).finally(() => (isOver = true));
    let isOver = false;
    // The program ends by the emulator's time, which passes while its terminal is being opened.
    await vi.waitUntil(() => cloud.clock.advance(10).then(() => isOver));
    expect(faultOf(await said)).toEqual({
      kind: 'rejected',
      code: 'AgentSilent',
      message: 'no agent answered, but: {"ok":1}  [31mred ',
    });
  });

  it('an agent that says nothing is waited for until the signal', async () => {
    const startedAt = performance.now();
    const late = await words.drain(to('silent'), { graceSeconds: 1 }, AbortSignal.timeout(300));
    expect(faultOf(late)).toEqual({ kind: 'transient', message: 'the agent did not answer in time' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('a port that nobody is let out to is named', async () => {
    await turn({ execUnreachable: true });
    const fault = faultOf(await words.refresh(place, signal));
    expect(fault).toMatchObject({ kind: 'transient' });
    expect(JSON.stringify(fault)).toMatch(
      /the app could not connect .* at 127\.0\.0\.1:\d+ \(ECONNREFUSED\): a security group/,
    );
  });

  it('the password is in no fault', async () => {
    const opened = createAgentWords({
      groups: { exec: async () => ok({ webSocketUri: 'wss://127.0.0.1:1/x', password: 'planted' }) },
    });
    expect(JSON.stringify(await opened.refresh(place, signal))).not.toContain('planted');
    const garbage = createAgentWords({
      groups: { exec: async () => ok({ webSocketUri: 'no address', password: 'planted' }) },
    });
    expect(faultOf(await garbage.refresh(place, signal))).toMatchObject({ kind: 'transient' });
  });
});
