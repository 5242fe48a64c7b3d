import { describe, expect, it } from 'vitest';
import { containersConf, stateKey } from '../../../infra/local/aci/runtime/engine/podman-layout.ts';
import type { HostFacts } from '../../../infra/local/aci/runtime/engine/podman-layout.ts';

const ordinary: HostFacts = {
  unified: true,
  systemd: true,
  runc: true,
  mayRaiseLimits: true,
  openFiles: 1024,
  processes: 500,
};

describe('containers.conf', () => {
  it.each([
    [
      'an ordinary machine keeps Podman’s own runtime, manager and limits',
      {},
      [],
      ['runtime =', 'cgroup_manager', 'default_ulimits'],
    ],
    [
      'cgroups v1 or hybrid need runc and cgroupfs',
      { unified: false },
      ['runtime = "runc"', 'cgroup_manager = "cgroupfs"'],
      [],
    ],
    ['without systemd groups are made directly', { systemd: false }, ['cgroup_manager = "cgroupfs"'], ['runtime =']],
    ['a runtime that is not installed is not named', { unified: false, runc: false }, [], ['runtime =']],
    [
      'without CAP_SYS_RESOURCE limits are those that hold already',
      { mayRaiseLimits: false },
      ['nofile=1024:1024', 'nproc=500:500'],
      [],
    ],
  ])('%s', (_name, facts, present, absent) => {
    const text = containersConf({ ...ordinary, ...facts }, '/run/x');
    for (const part of present) expect(text).toContain(part);
    for (const part of absent) expect(text).not.toContain(part);
    expect(text).toContain('network_config_dir = "/run/x/networks"');
  });
});

describe('the key of a state folder', () => {
  it('is that of the folder, however it is written', () => {
    expect(stateKey('/a/b')).toBe(stateKey('/a/c/../b/'));
    expect(stateKey('/a/b')).not.toBe(stateKey('/a/c'));
    expect(stateKey('/a/b')).toMatch(/^[0-9a-f]{12}$/u);
  });
});
