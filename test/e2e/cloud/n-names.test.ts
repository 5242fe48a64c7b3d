/** Who a pod's program is, and by what name it finds itself, where the agent starts it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { apply, createNamespace, isOver, output, phase, pod, removeNamespace, until } from './cloud.ts';

const namespace = 'n-names';
const published = settings()['AGENT_IMAGE'];
const sh = (script: string): readonly string[] => ['sh', '-c', script];
const named = sh('cat /etc/hostname; echo $HOSTNAME; grep "$HOSTNAME" /etc/hosts | tail -n 1 | cut -f 2-');
const image = 'registry.local/busybox:1';

const logs = async (name: string): Promise<readonly string[]> => {
  await until(`${name} has ended`, () => phase(name, namespace), isOver, 180_000);
  return (await output('logs', '-n', namespace, name)).split('\n');
};

describe.runIf(published !== undefined)('a program that the agent starts', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      pod('asks', { namespace, image, command: named, spec: { hostname: 'db-7', subdomain: 'peer' } }),
      pod('is-named', { namespace, image, command: named, container: { workingDir: '/srv' } }),
      pod('restricted', {
        namespace,
        command: sh(
          'id -u; id -G; grep NoNewPrivs /proc/self/status; echo x >/data/y; stat -c %g /data/y; echo out >/dev/stdout',
        ),
        container: {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
        spec: {
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10_001,
            runAsGroup: 10_001,
            fsGroup: 20_002,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          volumes: [{ name: 'data', emptyDir: {} }],
        },
      }),
    );
  });
  afterAll(() => removeNamespace(namespace));

  it('finds the name that its pod asks for', async () => {
    const full = `db-7.peer.${namespace}.svc.cluster.local`;
    expect(await logs('asks')).toEqual(['db-7', 'db-7', `${full}\tdb-7`, '']);
  });

  it('finds the name of its pod where that asks for none', async () => {
    expect(await logs('is-named')).toEqual(['is-named', 'is-named', 'is-named', '']);
  });

  it('is who a restricted pod has to be, and can open its output by its path', async () => {
    expect(await logs('restricted')).toEqual(['10001', '10001 20002', 'NoNewPrivs:\t1', '20002', 'out', '']);
  });
});
