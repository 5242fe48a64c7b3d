import type { MemoryTable } from '../../../infra/local/sim/memory-table.ts';
import { bucketPartition, nodePartition } from '../../../shared/adapters/tables/keys.ts';
import type { GroupBody } from '../../../shared/core/group/group.ts';
import type { World } from '../../app/world.ts';
import type { Dice } from '../dice.ts';
import type { Secrets } from '../secrets.ts';

/** A pod that carries secrets in every way in which a pod can: Secret data by name, whole, as files, for the registry, by expansion. */
export function createSecretPod(world: World, name: string, secrets: Secrets, image: 'serves' | 'exits-0'): void {
  const { references } = world.cluster;
  const plant = (what: string): string => secrets.plant(what, name);
  references.putSecret(
    { namespace: 'default', name: `${name}-keys` },
    { password: plant('secretKeyRef'), file: plant('volume') },
  );
  references.putSecret({ namespace: 'default', name: `${name}-all` }, { ALL: plant('envFrom') });
  references.putConfigMap({ namespace: 'default', name: `${name}-config` }, { setting: 'plain' });
  const auth = { auths: { 'registry.example': { username: 'u', password: plant('pull') } } };
  references.putSecret(
    { namespace: 'default', name: `${name}-pull` },
    { '.dockerconfigjson': JSON.stringify(auth) },
    'kubernetes.io/dockerconfigjson',
  );
  world.createPod(
    image,
    {
      containers: [
        {
          name: 'main',
          image,
          env: [
            { name: 'PLAIN', value: plant('literal') },
            { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: `${name}-keys`, key: 'password' } } },
            { name: 'EXPANDED', value: 'user:$(PASSWORD)@host' },
          ],
          envFrom: [{ secretRef: { name: `${name}-all` } }, { configMapRef: { name: `${name}-config` } }],
          volumeMounts: [{ name: 'keys', mountPath: '/keys' }],
        },
      ],
      imagePullSecrets: [{ name: `${name}-pull` }],
      volumes: [{ name: 'keys', secret: { secretName: `${name}-keys` } }],
    },
    { name },
  );
}

/** Pods of a world before anything is posted; the webhooks of their creation are lost. */
export function createPods(world: World, dice: Dice, secrets: Secrets): void {
  const count = dice.pick([0, 1, 1, 2]);
  for (let index = 0; index < count; index += 1)
    createSecretPod(world, `p${index}`, secrets, dice.pick(['serves', 'exits-0']));
  world.forgetPending();
}

/** Everything that outsiders can read: rows, tags, events, statuses, and of a group's body what ARM shows again. */
export function findSecrets(world: World, secrets: Secrets): readonly string[] {
  const statuses = world.cluster.pods.list().map(({ status }) => status);
  const bodies = world.groups.names().flatMap((name) => world.groups.readGroup(name)?.body ?? []);
  return [
    ...secrets.findIn('a row', JSON.stringify(rowsOf(world.store.table, world))),
    ...secrets.findIn('an event', JSON.stringify(world.cluster.events())),
    ...secrets.findIn('a status', JSON.stringify(statuses)),
    ...secrets.findIn('a warning', JSON.stringify(world.warnings)),
    ...secrets.findIn('a tag', JSON.stringify(bodies.map(({ tags }) => tags))),
    ...secretsOnly(secrets, 'a group that ARM shows', JSON.stringify(bodies.map(shownBody))),
  ];
}

/** A literal env value is in the group as it is in the pod. */
const secretsOnly = (secrets: Secrets, where: string, text: string): readonly string[] =>
  secrets.findIn(where, text).filter((sentence) => !sentence.endsWith('literal'));

const rowsOf = (table: MemoryTable, world: World): readonly unknown[] =>
  [...world.nodes().map(({ key }) => nodePartition(key)), bucketPartition].flatMap((one) => table.readPartition(one));

/** Without what ARM never shows again (docs/aci.md, Requests): secure values, files of secrets, registry passwords. */
const shownBody = (body: GroupBody): unknown => ({
  ...body,
  volumes: body.volumes.map(({ name }) => name),
  imageRegistryCredentials: body.imageRegistryCredentials.map(({ server, username }) => ({ server, username })),
  containers: [...body.containers, ...body.initContainers].map((container) => ({
    ...container,
    environmentVariables: container.environmentVariables.map(({ name, value }) => ({ name, value })),
  })),
});
