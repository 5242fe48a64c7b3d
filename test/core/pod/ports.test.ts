import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupAddress } from '../../../shared/core/pod/ip-address.ts';
import { podOf, rawContainer, subnetId } from './fixtures.ts';

type Port = readonly [port: number, protocol?: string];

const addressOf = (...containers: readonly (readonly Port[])[]) =>
  groupAddress(
    podOf({
      containers: containers.map((ports, index) =>
        rawContainer({
          name: `c${index}`,
          ports: ports.map(([containerPort, protocol = 'TCP']) => ({ containerPort, protocol })),
        }),
      ),
    }),
    { subnetId },
  );

describe('the ports of a pod in a subnet', () => {
  it.each<[string, readonly (readonly Port[])[], string, string]>([
    ['are declared, five of them', [[[1], [2], [3], [4], [5]]], '1 2 3 4 5', ''],
    [
      'the sixth is named',
      [[[1], [2], [3], [4], [5], [6]]],
      '1 2 3 4 5',
      'ports[5]: the address of a group declares 5',
    ],
    ['so is one that ACI keeps', [[[9999], [80]]], '80', 'ports[0]: ACI keeps port 9999'],
    ['at the start of a range', [[[20000], [80]]], '80', 'ports[0]: ACI keeps port 20000'],
    ['and at its end', [[[30000], [80]]], '80', 'ports[0]: ACI keeps port 30000'],
    ["where all are kept, port 80 is the address's", [[[22]]], '80', 'ports[0]: ACI keeps port 22'],
    ['one number is declared for one protocol', [[[53, 'UDP'], [53]]], '53/UDP', 'port 53 is declared for UDP'],
    ['and by one container', [[[80]], [[80]]], '80', 'spec.containers[1].ports[0]: port 80 is declared already'],
    ['the same twice is one', [[[80], [80]]], '80', ''],
    ['SCTP is none', [[[80], [90, 'SCTP']]], '80', 'ports[1]: ACI declares TCP and UDP only, not SCTP'],
  ])('%s', (_, containers, declared, message) => {
    const { ipAddress, notices } = addressOf(...containers);
    const shown = ipAddress?.ports.map(({ port, protocol }) => (protocol === 'UDP' ? `${port}/UDP` : String(port)));
    expect(shown?.join(' ')).toBe(declared);
    expect(notices.map(({ reason }) => reason)).toEqual(message === '' ? [] : ['PortsNotDeclared']);
    expect(notices[0]?.message ?? '').toContain(message);
  });

  const port = fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom('TCP', 'UDP', 'SCTP'));
  it('are what ACI takes, and each is declared or named', () =>
    fc.assert(
      fc.property(fc.array(fc.array(port, { maxLength: 5 }), { minLength: 1, maxLength: 4 }), (containers) => {
        const { ipAddress, ports, notices } = addressOf(...containers);
        const declared = ipAddress?.ports ?? [];
        expect(declared.length).toBeGreaterThan(0);
        expect(declared.length).toBeLessThanOrEqual(5);
        expect(new Set(declared.map((one) => one.port)).size).toBe(declared.length);
        expect(ports.flat()).toEqual(declared);
        containers.forEach((container, index) =>
          container.forEach(([number, protocol], at) => {
            const isDeclared = (ports[index] ?? []).some((one) => one.port === number && one.protocol === protocol);
            const isNamed = notices[0]?.message.includes(`spec.containers[${index}].ports[${at}]: `) ?? false;
            expect(isDeclared || isNamed).toBe(true);
          }),
        );
      }),
    ));
});
