import { assumptions } from '../../../shared/core/agent/assumptions.ts';
import type { AssumptionId, Finding } from '../../../shared/core/agent/assumptions.ts';
import type { Measurements } from './measurements.ts';

/** All that one run saw. */
export interface ProbeSeen {
  readonly measured: Measurements;
  /** The group's own address, as ARM shows it. */
  readonly groupAddress: string | undefined;
  /** How often ACI started the container `first` again. */
  readonly restarts: number;
  /** Log of `first` after a stop; undefined: it could not be read. */
  readonly logAfterStop: string | undefined;
  /** Whether the group was stopped at all. */
  readonly isStopped: boolean;
}

type Outcome = Omit<Finding, 'id'>;

const holds = (detail: string): Outcome => ({ outcome: 'holds', detail });
const fails = (detail: string): Outcome => ({ outcome: 'fails', detail });
const unmeasured = (detail: string): Outcome => ({ outcome: 'unmeasured', detail });

/** What a probe's run says of each assumption, in their order. What was not measured is said to be so, with the reason. Pure. */
export const judgeProbe = (seen: ProbeSeen): readonly Finding[] =>
  assumptions.map(({ id }) => ({ id, ...judges[id](seen) }));

const value = ({ measured }: ProbeSeen, name: string): string => measured.get(name) ?? '';

/** By one measurement; unmeasured where it is not there. */
const by =
  (name: string, judge: (text: string, seen: ProbeSeen) => Outcome) =>
  (seen: ProbeSeen): Outcome => {
    const text = value(seen, name);
    return text === '' ? unmeasured(missing(seen, name)) : judge(text, seen);
  };

function missing(seen: ProbeSeen, name: string): string {
  const [phase = ''] = name.split('.', 1);
  const isThere = [...seen.measured.keys()].some((key) => key.startsWith(`${phase}.`));
  if (isThere) return `the image has not what it takes (${name})`;
  return phase === 'again' && seen.restarts === 0
    ? 'the container was not started again in time'
    : `nothing of the container was read (${phase})`;
}

/** Bits of Linux' capabilities: CHOWN, FOWNER, KILL, SETGID, SETUID, SETPCAP. */
const needed: readonly (readonly [name: string, bit: number])[] = [
  ['CHOWN', 0],
  ['FOWNER', 3],
  ['KILL', 5],
  ['SETGID', 6],
  ['SETUID', 7],
  ['SETPCAP', 8],
];

const byExec = unmeasured('the probe does not use exec yet');

const judges: Readonly<Record<AssumptionId, (seen: ProbeSeen) => Outcome>> = {
  'emptydir-runs': by('second.run', (text, seen) =>
    text === 'ran' ? holds('in both containers') : fails(`${text}; ${value(seen, 'second.shared-mount')}`),
  ),
  'emptydir-any-user': by('second.shared-mode', (mode) =>
    /[2367]$/.test(mode) ? holds(`mode ${mode}`) : fails(`mode ${mode}`),
  ),
  'emptydir-restart': (seen) => {
    // Whether it runs is another question: it was looked for since the first run's mark was there.
    if (value(seen, 'again.run') !== '') return holds(`after ${seen.restarts} restart`);
    if (seen.restarts === 0) return unmeasured(missing(seen, 'again.run'));
    return fails(`after ${seen.restarts} restarts the container found nothing of its first run`);
  },
  'init-once': by('again.init-runs', (runs) =>
    runs === '1' ? holds('they ran once') : fails(`they ran ${runs} times`),
  ),
  'hosts-shared': by('second.hosts-added', added),
  'hosts-restart': by('again.hosts-added', added),
  'secret-modes': by('second.secret-mode', (mode, seen) =>
    mode === '400 1000:1001'
      ? holds(`was ${value(seen, 'init.secret-before')}`)
      : fails(`400 1000:1001 was given, and ${mode} is there`),
  ),
  'secret-memory': by('second.secret-mount', (mount) =>
    /\b(?:tmpfs|ramfs)\b/.test(mount) ? holds(mount) : fails(mount),
  ),
  'init-names': by('init.names', (text) =>
    text === 'resolved' ? holds('a name was resolved') : fails('a name was not resolved'),
  ),
  'init-app': by('init.app', reached),
  'main-app': by('first.app', reached),
  'address-inside': by('second.addresses', address),
  capabilities: by('second.capabilities', (text) => {
    const bits = BigInt(/^[0-9a-f]{1,16}$/.test(text) ? `0x${text}` : '0x0');
    const lacking = needed.filter(([, bit]) => (bits & (1n << BigInt(bit))) === 0n).map(([name]) => name);
    return lacking.length === 0 ? holds(text) : fails(`${text} lacks ${lacking.join(', ')}`);
  }),
  'memory-events': by('second.cgroup', (version) =>
    version === 'none' ? fails('neither memory.events nor memory.oom_control is there') : holds(`cgroup ${version}`),
  ),
  'processes-apart': by('second.processes', (count) =>
    count === '0' ? holds('none of the other’s was seen') : fails('the other’s were seen'),
  ),
  'network-shared': by('again.neighbour', (text) =>
    text === 'shared' ? holds('a port of the other was reached') : fails(text),
  ),
  'stop-signal': ({ isStopped, logAfterStop }) => {
    if (!isStopped) return unmeasured('the group was not stopped');
    if (logAfterStop === undefined) return unmeasured('the log was gone after the stop');
    return logAfterStop.includes('"again.signal"') ? holds('SIGTERM came') : fails('no SIGTERM came');
  },
  'logs-after-stop': ({ isStopped, logAfterStop }) => {
    if (!isStopped) return unmeasured('the group was not stopped');
    return logAfterStop === undefined ? fails('it was gone') : holds('it was read');
  },
  'failed-again': by('again.waited', (seconds) =>
    Number(seconds) >= 5 && Number(seconds) <= 20 ? holds(`after ${seconds} s`) : fails(`after ${seconds} s`),
  ),
  'exec-word': () => byExec,
  'exec-words': () => byExec,
  'secret-size': () => unmeasured('the probe brings no large Secret'),
  'liveness-restart': () => unmeasured('the probe has no liveness probe'),
};

function added(count: string): Outcome {
  return count === '0' ? fails('the line was not there') : holds('the line was there');
}

function reached(text: string): Outcome {
  return text === 'reached' ? holds('it answered') : fails(text);
}

function address(text: string, { groupAddress }: ProbeSeen): Outcome {
  const inside = text.split(/\s+/).filter((one) => one !== '127.0.0.1');
  if (groupAddress === undefined) return unmeasured(`${inside.join(', ')} inside; the group itself shows no address`);
  return inside.includes(groupAddress)
    ? holds(groupAddress)
    : fails(`${inside.join(', ') || 'none'} inside, ${groupAddress} outside`);
}
