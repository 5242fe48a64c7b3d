import { describe, expect, it } from 'vitest';
import { parseLogs, parseOperation, parseUsages } from '../../../shared/wire/arm/answers.ts';
import { parseGroup, parseGroupPage } from '../../../shared/wire/arm/group-answer.ts';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';
import { groupBody } from '../../fixtures/group-body.ts';

const minimal = groupBody({}, { name: 'c', image: 'alpine' });

describe('a group on its way to ARM', () => {
  it('sends nothing that it does not have', () => {
    expect(formatGroup(minimal)).toEqual({
      location: 'westeurope',
      tags: {},
      properties: {
        osType: 'Linux',
        restartPolicy: 'Never',
        containers: [
          { name: 'c', properties: { image: 'alpine', resources: { requests: { cpu: 1, memoryInGB: 1 } } } },
        ],
      },
    });
  });

  it('puts everything where ARM looks for it', () => {
    const port = { port: 80, protocol: 'TCP' } as const;
    const init = {
      name: 'i',
      image: 'busybox',
      command: ['sh', '-c', 'true'],
      environmentVariables: [
        { name: 'A', value: '' },
        { name: 'S', secureValue: 's' },
      ],
      volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }],
    } as const;
    const resources = { requests: { cpu: 0.5, memoryInGB: 1 }, limits: { cpu: 1, memoryInGB: 2 } };
    const subnet = { id: '/subscriptions/s/subnets/x' };
    const formatted = formatGroup({
      ...minimal,
      zones: ['2'],
      containers: [{ ...init, name: 'c', ports: [port], resources }],
      initContainers: [init],
      imageRegistryCredentials: [{ server: 'r', username: 'u', password: 'p' }],
      volumes: [
        { name: 'v', secret: { k: 'dg==' } },
        { name: 'e', emptyDir: {} },
      ],
      ipAddress: { type: 'Private', ports: [port] },
      subnetIds: [subnet],
    });
    const { name: _, ...properties } = init;
    expect(formatted).toEqual({
      location: 'westeurope',
      tags: {},
      zones: ['2'],
      properties: {
        osType: 'Linux',
        restartPolicy: 'Never',
        containers: [{ name: 'c', properties: { ...properties, ports: [port], resources } }],
        initContainers: [{ name: 'i', properties }],
        imageRegistryCredentials: [{ server: 'r', username: 'u', password: 'p' }],
        volumes: [
          { name: 'v', secret: { k: 'dg==' } },
          { name: 'e', emptyDir: {} },
        ],
        ipAddress: { type: 'Private', ports: [port] },
        subnetIds: [subnet],
      },
    });
  });
});

const group = (properties: object, rest: object = {}) => ({
  name: 'g',
  ...rest,
  properties: { containers: [], ...properties },
});

describe('a group as ARM shows it', () => {
  it('is refused without what ARM promises', () => {
    for (const body of [
      undefined,
      null,
      {},
      [],
      'text',
      { name: 'g' },
      { name: 'g', properties: {} },
      group({}, { name: '' }),
    ])
      expect(parseGroup(body)).toBeUndefined();
    expect(parseGroup(group({ containers: [{ name: 'c' }] }))).toBeUndefined();
    expect(
      parseGroup(
        group({ containers: [{ name: 'c', properties: { instanceView: { currentState: { exitCode: 'x' } } } }] }),
      ),
    ).toBeUndefined();
  });

  it('may lack what has a meaning when it is missing', () => {
    expect(parseGroup(group({ tags: null, instanceView: null }))).toEqual({
      name: 'g',
      tags: {},
      provisioningState: '',
      state: '',
      restartPolicy: 'Always',
      containers: [],
      initContainers: [],
      events: [],
    });
  });

  it('gives container states, and events oldest first', () => {
    const first = {
      name: 'Pulling',
      message: 'm',
      type: 'Normal',
      count: 2,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:05Z',
    };
    const second = { ...first, name: 'Started', firstTimestamp: '2026-01-01T00:00:02Z' };
    const currentState = { state: 'Terminated', startTime: 's', finishTime: 'f', exitCode: 3, detailStatus: 'Error' };
    const seen = parseGroup(
      group({
        provisioningState: 'Succeeded',
        ipAddress: { ip: '10.0.0.4', ports: [] },
        instanceView: { state: 'Failed', events: [] },
        containers: [
          {
            name: 'c',
            properties: { image: 'i', instanceView: { restartCount: 1, currentState, events: [second, first] } },
          },
        ],
      }),
    );
    expect(seen).toMatchObject({ ip: '10.0.0.4', state: 'Failed', provisioningState: 'Succeeded' });
    expect(seen?.containers).toEqual([
      { name: 'c', image: 'i', instanceView: { restartCount: 1, currentState, events: [first, second] } },
    ]);
  });
});

describe('other answers', () => {
  it('a page of groups is whole or refused', () => {
    const good = group({
      provisioningState: 'Succeeded',
      containers: [{ name: 'c', properties: { resources: { requests: { cpu: 2 } } } }],
    });
    expect(parseGroupPage({ value: [good], nextLink: 'https://x' })).toEqual({
      value: [{ name: 'g', tags: {}, provisioningState: 'Succeeded', cpu: 2 }],
      nextLink: 'https://x',
    });
    expect(parseGroupPage({ value: [good, {}] })).toBeUndefined();
    expect(parseGroupPage({})).toBeUndefined();
    expect(parseGroupPage({ value: null })).toBeUndefined();
  });

  it('an operation gives its events, or its error as one', () => {
    const events = [
      { name: 'InsufficientCapacity.', message: 'No room.', lastTimestamp: '2' },
      { name: 'Pulled', lastTimestamp: '1' },
    ];
    expect(parseOperation({ status: 'Failed', properties: { events } })).toEqual({
      status: 'Failed',
      events: [
        { name: 'Pulled', message: '' },
        { name: 'InsufficientCapacity.', message: 'No room.' },
      ],
    });
    expect(parseOperation({ status: 'Succeeded' })).toEqual({ status: 'Succeeded', events: [] });
    expect(parseOperation({ status: 'Canceled', error: { code: 'OperationPreempted', message: 'm' } })?.events).toEqual(
      [{ name: 'OperationPreempted', message: 'm' }],
    );
    expect(parseOperation({})).toBeUndefined();
  });

  it('logs and usages', () => {
    expect(parseLogs({ content: 'a\n' })).toBe('a\n');
    expect(parseLogs({ content: null })).toBe('');
    expect(parseLogs({})).toBeUndefined();
    expect(parseUsages({ value: [{ name: { value: 'StandardCores' }, currentValue: 3, limit: 100 }] })).toEqual([
      { name: 'StandardCores', current: 3, limit: 100 },
    ]);
    expect(parseUsages({ value: [{}] })).toBeUndefined();
  });
});
