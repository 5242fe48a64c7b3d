import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { probeCommand } from '../../../../infra/cli/probe/command.ts';
import { probeGroup, probeGroupName } from '../../../../infra/cli/probe/group-body.ts';
import { judgeProbe } from '../../../../infra/cli/probe/judge.ts';
import type { ProbeSeen } from '../../../../infra/cli/probe/judge.ts';
import { hasEnded, parseMeasurements } from '../../../../infra/cli/probe/measurements.ts';
import { recordProbe } from '../../../../infra/cli/probe/record.ts';
import { probeScript } from '../../../../infra/cli/probe/script.ts';
import { assumptions } from '../../../../shared/core/agent/assumptions.ts';
import type { AssumptionId, Finding } from '../../../../shared/core/agent/assumptions.ts';
import { fail, ok } from '../../../../shared/core/fault.ts';
import { groupOwner } from '../../../../shared/core/group/identity.ts';
import { subnetIdExample } from '../../../../shared/core/resource-id.ts';
import type { ProbeRecords } from '../../../../shared/ports/probe-records.ts';
import { formatProbeRecords, parseProbeRecords, withProbe } from '../../../../shared/wire/probe-record.ts';
import type { ProbeRecord } from '../../../../shared/wire/probe-record.ts';
import { createWorld } from '../../../app/world.ts';
import { runOver } from '../status/world-context.ts';

const wants = {
  installation: 'sk',
  location: 'westeurope',
  subnetId: undefined,
  image: 'reg.example/busybox:1',
  appUrl: 'https://kubelet.example/x',
  name: 'name.example',
};

describe("the probe's group", () => {
  it('is one core and one gigabyte, starts again what failed, and is nobody’s pod', () => {
    const body = probeGroup(wants);
    const sum = (member: 'cpu' | 'memoryInGB') =>
      body.containers.reduce((all, one) => all + one.resources.requests[member], 0);
    expect([sum('cpu'), sum('memoryInGB'), body.restartPolicy]).toEqual([1, 1, 'OnFailure']);
    expect(groupOwner(body.tags)).toBeUndefined();
    expect(body.subnetIds ?? body.ipAddress).toBeUndefined();
  });
  it('shows an address only in a subnet', () => {
    const body = probeGroup({ ...wants, subnetId: subnetIdExample });
    expect([body.subnetIds, body.ipAddress?.type]).toEqual([[{ id: subnetIdExample }], 'Private']);
  });
  it('has one name for each installation, which ARM takes', () => {
    expect(probeGroupName('sk')).toMatch(/^[a-z0-9-]{1,63}$/);
    expect(probeGroupName('sk')).not.toBe(probeGroupName('other'));
  });
  it('runs a script that a POSIX shell reads, and that ends in every phase', () => {
    const read = spawnSync('sh', ['-n', '-c', probeScript]);
    expect([read.status, read.stderr.toString()]).toEqual([0, '']);
    for (const phase of ['init', 'first', 'again', 'second']) expect(probeScript).toContain(`say end ${phase}`);
  });
});

describe('what containers said', () => {
  const line = (name: string, value: string) => `sk-probe ${JSON.stringify({ name, value })}`;
  it('is read by name from all logs, the last of a name, whatever else is in them', () => {
    const logs = [
      `noise\n${line('a.b', '1')}\nsk-probe {\nsk-probe {"name":7}\n2026-11-30T10:00:00Z ${line('c', ' 2 ')}`,
      line('a.b', '3'),
    ];
    expect([...parseMeasurements(logs)]).toEqual([
      ['a.b', '3'],
      ['c', '2'],
    ]);
  });
  it('is all where its end is there', () => {
    expect(hasEnded(line('end', 'again'), 'again')).toBe(true);
    expect(hasEnded(line('end', 'first'), 'again')).toBe(false);
  });
});

const good: Readonly<Record<string, string>> = {
  'init.secret-before': '644 0:0',
  'init.names': 'resolved',
  'init.app': 'reached',
  'first.app': 'reached',
  'second.run': 'ran',
  'second.shared-mode': '777',
  'second.shared-mount': 'ext4 rw',
  'second.secret-mode': '400 1000:1001',
  'second.secret-mount': 'tmpfs ro,relatime',
  'second.hosts-added': '1',
  'second.addresses': '127.0.0.1 10.0.0.4',
  'second.capabilities': '00000000a80425fb',
  'second.cgroup': 'v2',
  'second.processes': '0',
  'again.run': 'ran',
  'again.hosts-added': '1',
  'again.init-runs': '1',
  'again.waited': '11',
  'again.neighbour': 'shared',
};
const seenOf = (change: Readonly<Record<string, string>> = {}, more: Partial<ProbeSeen> = {}): ProbeSeen => ({
  measured: new Map(Object.entries({ ...good, ...change })),
  groupAddress: '10.0.0.4',
  restarts: 1,
  isStopped: true,
  logAfterStop: 'sk-probe {"name":"again.signal","value":"TERM"}',
  ...more,
});
const find = (id: AssumptionId, seen: ProbeSeen): Finding | undefined => judgeProbe(seen).find((one) => one.id === id);
const never: readonly AssumptionId[] = ['exec-word', 'exec-words', 'secret-size', 'liveness-restart'];

describe('what a probe finds', () => {
  it('is something of each assumption, in their order; what a busybox can’t measure it says', () => {
    const findings = judgeProbe(seenOf());
    expect(findings.map(({ id }) => id)).toEqual(assumptions.map(({ id }) => id));
    expect(findings.filter(({ outcome }) => outcome === 'unmeasured').map(({ id }) => id)).toEqual(never);
    expect(findings.filter(({ outcome }) => outcome === 'fails')).toEqual([]);
  });

  it.each<[AssumptionId, Readonly<Record<string, string>>, string]>([
    ['emptydir-runs', { 'second.run': 'Permission denied' }, 'Permission denied; ext4 rw'],
    ['emptydir-any-user', { 'second.shared-mode': '755' }, 'mode 755'],
    ['init-once', { 'again.init-runs': '2' }, 'they ran 2 times'],
    ['hosts-shared', { 'second.hosts-added': '0' }, 'the line was not there'],
    ['hosts-restart', { 'again.hosts-added': '0' }, 'the line was not there'],
    ['secret-modes', { 'second.secret-mode': '644 0:0' }, '400 1000:1001 was given, and 644 0:0 is there'],
    ['secret-memory', { 'second.secret-mount': 'ext4 ro' }, 'ext4 ro'],
    ['init-names', { 'init.names': 'not' }, 'a name was not resolved'],
    [
      'init-app',
      { 'init.app': 'wget: TLS error from peer (alert code 40)' },
      'wget: TLS error from peer (alert code 40)',
    ],
    ['main-app', { 'first.app': 'refused' }, 'refused'],
    ['address-inside', { 'second.addresses': '127.0.0.1 10.92.0.4' }, '10.92.0.4 inside, 10.0.0.4 outside'],
    ['address-inside', { 'second.addresses': '127.0.0.1' }, 'none inside, 10.0.0.4 outside'],
    [
      'capabilities',
      { 'second.capabilities': '0000000000000000' },
      '0000000000000000 lacks CHOWN, FOWNER, KILL, SETGID, SETUID, SETPCAP',
    ],
    ['capabilities', { 'second.capabilities': '00000000a804253b' }, '00000000a804253b lacks SETGID, SETUID'],
    [
      'capabilities',
      { 'second.capabilities': 'garbage' },
      'garbage lacks CHOWN, FOWNER, KILL, SETGID, SETUID, SETPCAP',
    ],
    ['memory-events', { 'second.cgroup': 'none' }, 'neither memory.events nor memory.oom_control is there'],
    ['processes-apart', { 'second.processes': '1' }, 'the other’s were seen'],
    ['network-shared', { 'again.neighbour': 'wget: can’t connect' }, 'wget: can’t connect'],
    ['failed-again', { 'again.waited': '61' }, 'after 61 s'],
  ])('%s fails by %o', (id, change, detail) => {
    expect(find(id, seenOf(change))).toEqual({ id, outcome: 'fails', detail });
  });

  it('is nothing where the container, or what it takes, was not there', () => {
    const unread = seenOf({}, { measured: new Map([['init.names', 'resolved']]), restarts: 0 });
    expect(find('hosts-shared', unread)).toMatchObject({
      outcome: 'unmeasured',
      detail: 'nothing of the container was read (second)',
    });
    expect(find('hosts-restart', unread)).toMatchObject({ detail: 'the container was not started again in time' });
    expect(find('emptydir-restart', unread)).toMatchObject({ outcome: 'unmeasured' });
    expect(find('network-shared', seenOf({ 'again.neighbour': '' }))).toMatchObject({
      outcome: 'unmeasured',
      detail: 'the image has not what it takes (again.neighbour)',
    });
    expect(find('address-inside', seenOf({}, { groupAddress: undefined }))).toMatchObject({ outcome: 'unmeasured' });
  });

  it('is a volume that kept its files where a program in it does not run', () => {
    const seen = seenOf({ 'second.run': 'Permission denied', 'again.run': 'Permission denied failed' });
    expect(find('emptydir-restart', seen)).toMatchObject({ outcome: 'holds' });
  });

  it('is a volume that was emptied where a restart found nothing of the first run', () => {
    expect(find('emptydir-restart', seenOf({ 'again.run': '' }, { restarts: 2 }))).toMatchObject({ outcome: 'fails' });
  });

  it.each<[Partial<ProbeSeen>, Finding['outcome'], Finding['outcome']]>([
    [{}, 'holds', 'holds'],
    [{ logAfterStop: 'nothing' }, 'fails', 'holds'],
    [{ logAfterStop: undefined }, 'unmeasured', 'fails'],
    [{ isStopped: false, logAfterStop: undefined }, 'unmeasured', 'unmeasured'],
  ])('of a stop with %o: the signal %s, the log %s', (more, signal, log) => {
    expect(find('stop-signal', seenOf({}, more))?.outcome).toBe(signal);
    expect(find('logs-after-stop', seenOf({}, more))?.outcome).toBe(log);
  });
});

const record = (region: string, subnet: string | null, at = 'now'): ProbeRecord => ({
  region,
  subnet,
  sku: 'Standard',
  at,
  findings: [{ id: 'init-once', outcome: 'holds', detail: 'once' }],
});

describe('what was found is kept', () => {
  it('by its place, and read again', () => {
    const kept = [record('a', null), record('a', '/S/1'), record('b', null)];
    const next = withProbe(kept, record('a', '/s/1', 'later'));
    expect(next.map(({ region, subnet, at }) => [region, subnet, at])).toEqual([
      ['a', null, 'now'],
      ['b', null, 'now'],
      ['a', '/s/1', 'later'],
    ]);
    expect(parseProbeRecords(formatProbeRecords(next))).toEqual(next);
  });

  it('and what a later version knows besides is passed over', () => {
    const text = formatProbeRecords([record('a', null)]).replace('"init-once"', '"of-another-year"');
    expect(parseProbeRecords(text)).toMatchObject([{ findings: [] }]);
    for (const other of ['', '{}', '{"schemaVersion":2,"probes":[]}']) expect(parseProbeRecords(other)).toBeUndefined();
  });

  const signal = AbortSignal.timeout(10_000);
  it('beside what somebody else writes meanwhile', async () => {
    let kept = [record('a', null)];
    let puts = 0;
    const records: ProbeRecords = {
      get: () => Promise.resolve(ok({ etag: String(kept.length), probes: kept })),
      put: (probes, etag) => {
        puts += 1;
        if (puts === 1) kept = [...kept, record('c', null)];
        if (etag !== String(kept.length)) return Promise.resolve(fail({ kind: 'conflict', code: 'x', message: 'm' }));
        kept = [...probes];
        return Promise.resolve(ok(undefined));
      },
    };
    expect(await recordProbe(records, record('b', null), signal)).toBeUndefined();
    expect(kept.map(({ region }) => region)).toEqual(['a', 'c', 'b']);
  });

  it('or it is said why not', async () => {
    const denied = {
      get: () => Promise.resolve(fail({ kind: 'denied' as const, code: 'No', message: 'no right' })),
      put: () => Promise.resolve(ok(undefined)),
    };
    expect(await recordProbe(denied, record('b', null), signal)).toBe('No: no right');
  });
});

describe('the command', () => {
  it('ends with a sentence where the containers say nothing, and leaves no group', async () => {
    const world = await createWorld({ images: { 'reg.example/busybox': {} } });
    const shown = await runOver(world, probeCommand, ['--timeout', '1s', '--image', 'reg.example/busybox:1']);
    expect(shown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the probe's containers said nothing in their time"),
    });
    expect(await world.groups.list(new AbortController().signal)).toEqual({ ok: true, value: [] });
  });

  it('ends with ARM’s words where the group is not taken', async () => {
    const world = await createWorld();
    const refuse = () =>
      Promise.resolve(fail({ kind: 'denied' as const, code: 'AuthorizationFailed', message: 'no write' }));
    const shown = await runOver(world, probeCommand, [], { groups: { ...world.groups, createOrUpdate: refuse } });
    expect(shown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ARM did not take the probe's container group: AuthorizationFailed: no write"),
    });
  });

  it.each([
    ['--subnet', 'here', '--subnet wants the resource id of a subnet, or none, not "here"'],
    ['--image', 'No Image', '"No Image" is no name of an image'],
    ['--timeout', 'soon', '--timeout wants a duration, not "soon"'],
  ])('refuses %s %s', async (option, value, problem) => {
    expect(await runOver(await createWorld(), probeCommand, [option, value])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(problem),
    });
  });
});
