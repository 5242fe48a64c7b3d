import { describe, expect, it } from 'vitest';
import { containerBody, containerName, pauseBody } from '../../../infra/local/aci/runtime/engine/requests.ts';
import { defaultInside } from '../../../infra/local/aci/runtime/engine/inside.ts';
import type { InsideKnobs } from '../../../infra/local/aci/runtime/engine/inside.ts';
import type { EngineKind } from '../../../infra/local/aci/runtime/engine/requests.ts';
import type { ContainerSpec } from '../../../infra/local/aci/runtime/runtime.ts';

const spec: ContainerSpec = { name: 'c', image: 'docker.io/library/a:1', environment: {}, mounts: [] };

function build(
  more: Partial<ContainerSpec>,
  engine: EngineKind = 'podman',
  able = true,
  turned: Partial<InsideKnobs> = {},
): object {
  const abilities = { cpuQuota: able, memoryLimit: able, swapLimit: able };
  return containerBody(
    { ...spec, ...more },
    {
      engine,
      abilities,
      stateKey: 'k',
      sandboxId: 's',
      pauseId: 'p',
      network: 'n',
      inside: { ...defaultInside, ...turned },
      volumePath: (volume) => `/v/${volume}`,
    },
  );
}

describe('the body that creates a container', () => {
  it('lets a command replace entrypoint and command', () => {
    expect(build({ command: ['sh', '-c', 'x'] })).toMatchObject({ Entrypoint: ['sh', '-c', 'x'], Cmd: [] });
  });
  it.each([[undefined], [[]]])('leaves the image’s own for the command %s', (command) => {
    const body = build(command === undefined ? {} : { command });
    expect(body).not.toHaveProperty('Entrypoint');
    expect(body).not.toHaveProperty('Cmd');
  });
  it('passes each variable, the empty ones too', () => {
    expect(build({ environment: { A: 'x=y', B: '' } })).toMatchObject({ Env: ['A=x=y', 'B='] });
  });
  it('binds volumes and never restarts', () => {
    const body = build({ mounts: [{ volume: 'v', mountPath: '/a:b', readOnly: true }] });
    expect(body).toMatchObject({
      HostConfig: {
        RestartPolicy: { Name: 'no' },
        Mounts: [{ Type: 'bind', Source: '/v/v', Target: '/a:b', ReadOnly: true }],
      },
    });
  });
  it.each<[Partial<InsideKnobs>, object]>([
    [{}, { NetworkMode: 'container:p' }],
    [{ networkShared: false }, { NetworkMode: 'n' }],
    [{ rootMayChange: false }, { CapDrop: ['CHOWN', 'FOWNER', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'] }],
    [{ volumesRun: false }, { Binds: ['/v/v:/a:ro,noexec', '/v/w:/b:rw,noexec'] }],
  ])('with the knobs %o has %o', (turned, host) => {
    const mounts = [
      { volume: 'v', mountPath: '/a', readOnly: true },
      { volume: 'w', mountPath: '/b', readOnly: false },
    ];
    expect(build({ mounts }, 'podman', true, turned)).toMatchObject({ HostConfig: host });
  });
  it('sets limits, without swap beside them', () => {
    expect(build({ cpuLimit: 0.25, memoryLimitBytes: 1e9 })).toMatchObject({
      HostConfig: { NanoCpus: 250_000_000, Memory: 1e9, MemorySwap: 1e9 },
    });
  });
  it('sets no limit that the engine cannot enforce', () => {
    expect(Object.keys(build({ cpuLimit: 1, memoryLimitBytes: 1e9 }, 'podman', false))).not.toContain('Memory');
    expect(JSON.stringify(build({ cpuLimit: 1, memoryLimitBytes: 1e9 }, 'podman', false))).not.toMatch(
      /Memory|NanoCpus/u,
    );
  });
  it('shares the hostname by namespace on Podman and by network on Docker', () => {
    expect(build({})).toMatchObject({ HostConfig: { NetworkMode: 'container:p', UTSMode: 'container:p' } });
    expect(JSON.stringify(build({}, 'docker'))).not.toContain('UTSMode');
  });
});

describe('the body that creates a pause container', () => {
  it('carries hostname, network and the labels that find it again', () => {
    expect(pauseBody({ stateKey: 'k', sandboxId: 's', hostname: 'h', network: 'n', image: 'i' })).toMatchObject({
      Image: 'i',
      Hostname: 'h',
      Labels: {
        'serverless-kubelet.state': 'k',
        'serverless-kubelet.sandbox': 's',
        'serverless-kubelet.pause': 'true',
      },
      HostConfig: { NetworkMode: 'n' },
    });
  });
});

describe('names', () => {
  it('of different containers differ, wherever hyphens are', () => {
    const names = [
      containerName('k', 'a-b', 'c'),
      containerName('k', 'a', 'b-c'),
      containerName('k', 'a-b-c'),
      containerName('k', 'a', 'pause'),
      containerName('k', 'a'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});
