/** The machine's network namespace and its cable to the bridge of the container groups: a flat network, as Azure CNI makes one. */
import { runCommand } from '../aci/runtime/engine/command.ts';
import type { MachinePlace } from './place.ts';

/** As `ip netns` keeps them. */
export const namespaceFile = ({ namespace }: Pick<MachinePlace, 'namespace'>): string => `/run/netns/${namespace}`;

async function must(program: string, ...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runCommand(program, args);
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
}

/** Groups reach pods with their own address, which the engine would hide behind the bridge's. */
const withoutMasquerade = ({ bridge, podRange, namespace }: MachinePlace): readonly string[] => [
  'POSTROUTING',
  '--source',
  bridge.subnet,
  '--destination',
  podRange,
  '--match',
  'comment',
  '--comment',
  namespace,
  '--jump',
  'RETURN',
];

/** Makes both. */
export async function joinNetwork(place: MachinePlace): Promise<void> {
  const { namespace, cable, bridge, address, podRange } = place;
  const [, prefix = '24'] = bridge.subnet.split('/');
  await must('ip', 'netns', 'add', namespace);
  await must('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  await must('ip', 'link', 'set', cable, 'master', bridge.device, 'up');
  await must('ip', '-n', namespace, 'address', 'add', `${address}/${prefix}`, 'dev', 'eth0');
  for (const device of ['lo', 'eth0']) await must('ip', '-n', namespace, 'link', 'set', device, 'up');
  await must('ip', '-n', namespace, 'route', 'add', 'default', 'via', bridge.gateway);
  await must('nsenter', `--net=${namespaceFile(place)}`, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
  await must('ip', 'route', 'replace', podRange, 'via', address, 'dev', bridge.device);
  await must('iptables', '--table', 'nat', '--insert', ...withoutMasquerade(place));
}

/** Takes both away, with what is in the namespace. Safe to repeat, and without knowing where the bridge was. */
export async function leaveNetwork({ namespace, cable }: Pick<MachinePlace, 'namespace' | 'cable'>): Promise<void> {
  const { stdout } = await runCommand('iptables', ['--table', 'nat', '--list-rules', 'POSTROUTING']);
  for (const rule of stdout.split('\n').filter((line) => line.includes(`--comment ${namespace} `)))
    await runCommand('iptables', ['--table', 'nat', ...rule.replace(/^-A /, '-D ').split(' ')]);
  // Its route goes with it.
  await runCommand('ip', ['link', 'delete', cable]);
  await runCommand('ip', ['netns', 'delete', namespace]);
}

/** A bridge that only a cable has kept, of an engine that was killed: a new one would not get its address. */
export const removeBridge = async (device: string): Promise<void> =>
  void (await runCommand('ip', ['link', 'delete', device]));
