import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainCommand } from '../../../../infra/cli/explain/command.ts';
import { settingsOf } from '../../../fixtures/settings.ts';
import { run } from '../run.ts';

const web = `
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {GREETING: hello}
---
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: s3cret-of-the-manifest}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: web
          image: nginx:1.29
          args: [nginx]
          ports: [{containerPort: 80}]
          livenessProbe: {tcpSocket: {port: 80}}
          resources: {requests: {cpu: 250m, memory: 256Mi}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump}
spec:
  jobTemplate:
    spec:
      parallelism: 3
      template:
        spec:
          restartPolicy: Never
          imagePullSecrets: [{name: pull}]
          activeDeadlineSeconds: 60
          containers:
            - name: dump
              image: registry.example/dump:1
              command: [dump]
              envFrom: [{configMapRef: {name: web}}]
              env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]
              resources: {requests: {cpu: '2', memory: 4G}}
              volumeMounts: [{name: keys, mountPath: /keys}]
          volumes: [{name: keys, secret: {secretName: keys}}]
`;

/** Runs explain over a text that is piped in. */
const explain = (stdin: string, ...args: string[]) => run(['explain', '-f', '-', ...args], { stdin });

async function reported(stdin: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await explain(stdin, '--output', 'json', ...args);
  return JSON.parse(stdout);
}

const pod = (spec: string, metadata = 'name: p'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec: {containers: [{name: a, image: b, command: [c]}], ${spec}}\n`;

describe('explain for people', () => {
  it('says what becomes of each pod, for what it has the agent, and ends with 0 where all run', async () => {
    const shown = await explain(web);
    expect(shown.stdout).toMatchInlineSnapshot(`
      "Deployment shop/web × 2 (stdin:12:1): runs with notes (T2: spec.containers[0].livenessProbe.tcpSocket)
        1 vCPU and 1 GB, USD 0.054 an hour each
        rounded   container web: cpu 250m → 1, memory 256Mi → 1 GB
        noted     ImageAssumed: nginx:1.29: not known here, and taken to have the entrypoint, user and directory that the pod counts on; the app asks the registry
        emulated  spec.containers[0].livenessProbe.tcpSocket: by the agent: as a kubelet does, from inside the group

      CronJob default/dump × 3 (stdin:27:1): runs (T0)
        2 vCPU and 4 GB, USD 0.119 an hour each
        emulated  spec.activeDeadlineSeconds: the app ends the group

      2 workloads: 1 run, 1 run with notes, 0 refused; 2 objects without pods (1 ConfigMap, 1 Secret).
      What runs of it: 5 pods, 8 vCPU and 14 GB, USD 0.464 an hour. Prices are the public list prices of Linux container groups in East US (USD 0.0000135 a vCPU-second and 0.0000015 a GB-second): your region and contract may have others, give them with --price-cpu-second and --price-gb-second.
      Assumed: a node in a subnet, the agent (AGENT=auto), SECURITY_POLICY=compatible, groups of up to 31 cores and 240 GB (--no-subnet, --no-agent, --strict, --max-cpu, --max-memory-gb; or --app, --settings).
      "
    `);
    expect([shown.code, shown.stderr]).toEqual([0, '']);
  });

  it('says what is refused without the agent, and ends with 1', async () => {
    const shown = await explain(web, '--no-agent');
    expect(shown.stdout).toMatchInlineSnapshot(`
      "Deployment shop/web × 2 (stdin:12:1): refused; needs the agent (T2)
        1 vCPU and 1 GB, USD 0.054 an hour each
        refused   spec.containers[0].livenessProbe.tcpSocket: ACI can't make a liveness probe by tcpSocket; the agent would give it, and there is none here yet: kubectl aci agent publish (needs the agent, T2)
                  → leave the probe out
        rounded   container web: cpu 250m → 1, memory 256Mi → 1 GB
        noted     ImageAssumed: nginx:1.29: not known here, and taken to have the entrypoint, user and directory that the pod counts on; the app asks the registry

      CronJob default/dump × 3 (stdin:27:1): runs (T0)
        2 vCPU and 4 GB, USD 0.119 an hour each
        emulated  spec.activeDeadlineSeconds: the app ends the group

      2 workloads: 1 run, 0 run with notes, 1 refused; 2 objects without pods (1 ConfigMap, 1 Secret).
      What runs of it: 3 pods, 6 vCPU and 12 GB, USD 0.356 an hour. Prices are the public list prices of Linux container groups in East US (USD 0.0000135 a vCPU-second and 0.0000015 a GB-second): your region and contract may have others, give them with --price-cpu-second and --price-gb-second.
      Assumed: a node in a subnet, no agent, SECURITY_POLICY=compatible, groups of up to 31 cores and 240 GB (--no-subnet, --no-agent, --strict, --max-cpu, --max-memory-gb; or --app, --settings).
      "
    `);
    expect([shown.code, shown.stderr]).toEqual([1, '']);
  });

  it('is content with a manifest without pods', async () => {
    const shown = await explain('apiVersion: example.com/v1\nkind: Job\nmetadata: {name: x}\n');
    expect(shown).toEqual({ code: 0, stderr: '', stdout: 'No pods in it: 1 object without pods (1 Job).\n' });
    const empty = await explain('apiVersion: v1\nkind: PodList\nitems: []\n');
    expect(empty).toEqual({ code: 0, stderr: '', stdout: 'No pods in it.\n' });
  });

  it('takes a ConfigMap of another group for what it is', async () => {
    const shown = await explain('apiVersion: example.com/v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 5}\n');
    expect([shown.code, shown.stderr]).toEqual([0, '']);
  });

  it('reads files, and folders as kubectl does: the examples all run', async () => {
    const shown = await run(['explain', '-f', 'docs/examples', '--filename', 'docs/examples/deployment.yaml']);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(' (docs/examples/cronjob.yaml:');
    expect(shown.stdout.match(/docs\/examples\/deployment\.yaml/g)).toHaveLength(2);
  });

  it('reads what PowerShell writes, and passes folders in a folder by', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'explain-'));
    mkdirSync(join(dir, 'more.yaml'));
    const little = Buffer.from(`\ufeff${pod('x: null')}`, 'utf16le');
    writeFileSync(join(dir, 'le.yaml'), little);
    writeFileSync(join(dir, 'be.yaml'), Buffer.from(little).swap16());
    const shown = await run(['explain', '-f', dir]);
    rmSync(dir, { recursive: true });
    expect([shown.code, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toContain('2 workloads: 2 run');
  });
});

describe('explain as JSON', () => {
  it('has the documented members', async () => {
    const report = await reported(web, '--currency', 'USD', '--no-agent');
    expect(report).toMatchObject({
      schemaVersion: 2,
      assumed: { subnet: true, agent: 'absent', securityPolicy: 'compatible', maxGroup: { cpu: 31, memoryInGB: 240 } },
      prices: { source: 'list' },
      pods: [
        {
          source: { file: 'stdin', line: 12, column: 1 },
          kind: 'Deployment',
          namespace: 'shop',
          name: 'web',
          replicas: 2,
          verdict: 'refused',
          tier: 'T2',
          refused: [{ reason: 'UnsupportedPodSpec', field: 'spec.containers[0].livenessProbe.tcpSocket', agent: 'T2' }],
          noted: [{ reason: 'ImageAssumed' }],
          containers: [{ name: 'web', isInit: false, asked: { cpu: '250m' }, granted: { cpu: 1, memoryInGB: 1 } }],
        },
        { kind: 'CronJob', replicas: 3, verdict: 'runs', tier: 'T0', tierReason: null, cpu: 2, memoryInGB: 4 },
      ],
      total: { pods: 3, cpu: 6, memoryInGB: 12 },
      counts: { runs: 1, noted: 0, refused: 1 },
      skipped: [
        { kind: 'ConfigMap', count: 1 },
        { kind: 'Secret', count: 1 },
      ],
    });
  });

  it('has the tier with its reason', async () => {
    expect(await reported(web)).toMatchObject({
      assumed: { agent: 'auto' },
      pods: [
        {
          verdict: 'runs with notes',
          tier: 'T2',
          tierReason: 'spec.containers[0].livenessProbe.tcpSocket',
          refused: [],
        },
        { tier: 'T0', tierReason: null },
      ],
    });
  });

  it('has the orders of the agent in the body of the PUT as the documents that they are, and no key', async () => {
    const report = await reported(pod('hostAliases: [{ip: 10.0.0.1, hostnames: [db]}]'), '--group');
    expect(report).toMatchObject({
      pods: [
        {
          group: {
            tags: { 'serverless-kubelet-tier': 'T1', 'serverless-kubelet-agent': '<serverless-kubelet-agent>' },
            properties: {
              initContainers: [{ name: 'sk-install', properties: { command: ['/sk', 'install'] } }],
              volumes: expect.arrayContaining([
                {
                  name: 'sk-install-orders',
                  secret: {
                    orders: expect.objectContaining({
                      kind: 'group',
                      report: expect.objectContaining({ key: '<key of the pod and of the PUT>' }),
                      hosts: [{ ip: '10.0.0.1', hostnames: ['db'] }],
                    }),
                  },
                },
              ]),
            },
          },
        },
      ],
    });
  });

  it('has the body of the PUT on demand: ConfigMaps of the input, and never what a Secret holds', async () => {
    const report = await reported(web, '--group');
    const group = JSON.stringify(report);
    expect(group).toContain('{"name":"GREETING","value":"hello"}');
    expect(group).toContain('{"name":"PASSWORD","secureValue":"<Secret db, key password>"}');
    expect(group).toContain('"keys","secret":{"EACH_KEY_OF_KEYS":"<Secret keys, key EACH_KEY_OF_KEYS>"}');
    expect(group).toContain('{"server":"registry.example","username":"<user of Secret pull>"');
    expect(group).not.toContain('s3cret-of-the-manifest');
    expect(JSON.stringify(await reported(web))).not.toContain('secureValue');
  });
});

describe('what the verdict hangs on', () => {
  const hardened = pod('securityContext: {seccompProfile: {type: RuntimeDefault}}');
  const ports = pod('x: null').replace('command: [c]', 'command: [c], ports: [{containerPort: 80}]');
  const large = pod('x: null').replace('command: [c]', "command: [c], resources: {requests: {cpu: '8'}}");
  it.each<[string, string, string[], { verdict: string; noted?: string[] }]>([
    ['hardening is noted', hardened, [], { verdict: 'runs with notes', noted: ['MetByIsolation'] }],
    ['and refused under --strict', hardened, ['--strict'], { verdict: 'refused' }],
    [
      'ports are noted without a subnet',
      ports,
      ['--no-subnet'],
      { verdict: 'runs with notes', noted: ['PortsUnreachable'] },
    ],
    ['and sent with one', ports, [], { verdict: 'runs' }],
    ['a large pod runs', large, [], { verdict: 'runs' }],
    ['where the largest group takes it', large, ['--max-cpu', '4'], { verdict: 'refused' }],
    ['an image that no pull can bring', pod('x: null').replace('image: b', 'image: B:1'), [], { verdict: 'refused' }],
  ])('%s', async (_, text, args, { verdict, noted = [] }) => {
    const report = await reported(text, ...args);
    expect(report).toMatchObject({ pods: [{ verdict, noted: noted.map((reason) => ({ reason })) }] });
  });

  it('is taken from the settings of an app, where one is named', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'explain-'));
    const file = join(dir, 'local.settings.json');
    writeFileSync(file, JSON.stringify({ Values: { ...settingsOf(), SECURITY_POLICY: 'strict' } }));
    const report = await reported(hardened, '--settings', file);
    rmSync(dir, { recursive: true });
    expect(report).toMatchObject({
      assumed: { subnet: false, securityPolicy: 'strict' },
      pods: [{ verdict: 'refused' }],
    });
  });
});

describe('a pod of a workload is the one that its controller makes', () => {
  const template = 'template: {spec: {containers: [{name: a, image: b, command: [c]}]}}';
  const workload = (kind: string, spec: string, text = template): string =>
    `apiVersion: ${/Job/.test(kind) ? 'batch' : 'apps'}/v1\nkind: ${kind}\nmetadata: {name: w}\nspec: {${spec}${text}}\n`;
  it.each<[string, string, object]>([
    ['a DaemonSet has one for each node', workload('DaemonSet', ''), { replicas: 1, verdict: 'runs' }],
    ['a ReplicaSet as many as it says', workload('ReplicaSet', 'replicas: 7, '), { replicas: 7 }],
    [
      'a StatefulSet a host name that is noted, and claims',
      workload('StatefulSet', 'serviceName: peers, volumeClaimTemplates: [{metadata: {name: data}}], '),
      {
        verdict: 'runs with notes',
        noted: [
          { reason: 'FieldWithoutEffect', message: expect.stringMatching(/^spec.hostname, spec.subdomain: [^;]*$/) },
          { reason: 'ImageAssumed' },
        ],
      },
    ],
    [
      'an indexed Job its index, and a host name that is noted',
      workload(
        'Job',
        'completionMode: Indexed, parallelism: 4, ',
        template.replace('[c]}]', '[c]}], restartPolicy: Never'),
      ),
      {
        replicas: 4,
        verdict: 'runs with notes',
        noted: [{ reason: 'FieldWithoutEffect' }, { reason: 'ImageAssumed' }],
      },
    ],
  ])('%s', async (_, text, expected) => {
    expect(await reported(text)).toMatchObject({ pods: [expected] });
  });

  it('has the token of its ServiceAccount, unless it wants none', async () => {
    expect(JSON.stringify(await reported(pod('x: null'), '--group'))).toContain('serviceaccount');
    expect(JSON.stringify(await reported(pod('automountServiceAccountToken: false'), '--group'))).not.toContain(
      '<token>',
    );
  });

  it('is found in lists of lists, and in JSON values that follow each other', async () => {
    const item = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'a', image: 'b' }] },
    };
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [item, { kind: 'PodList', apiVersion: 'v1', items: [{ ...item, kind: undefined }] }],
    };
    const text = `${JSON.stringify(list)}\n${JSON.stringify(item, undefined, 2)}{"apiVersion":"v1","kind":"Service","x":"\\"}{ \\\\"}`;
    expect(await reported(text)).toMatchObject({ counts: { runs: 3 }, skipped: [{ kind: 'Service' }] });
  });

  it('is read as kubectl reads YAML: octal modes, merge keys, times as text; null is nothing', async () => {
    const text = `apiVersion: v1
kind: Pod
metadata: {name: p, annotations: null}
x: &mount {name: v, mountPath: /v}
spec:
  securityContext: null
  containers: [{name: a, image: b, resources: null, env: [{name: AT, value: 2026-11-23}, {name: CLOCK, value: 10:30}], volumeMounts: [{<<: *mount, readOnly: true}]}]
  volumes: [{name: v, secret: {secretName: s, defaultMode: 0644}}]
`;
    expect(await reported(text)).toMatchObject({ pods: [{ verdict: 'runs' }] });
  });
});

describe('bad input is reported with file, line, column and what was expected', () => {
  it.each<[string, string, readonly string[]]>([
    ['YAML that ends too soon', 'a: [', ['stdin:1:5: expected YAML or JSON: Flow sequence']],
    [
      'a template that is not rendered',
      'kind: Pod\nspec:\n  image: {{ .Values.image }}\n',
      ['stdin:3:11: expected YAML or JSON: ', 'a template of Helm is rendered first'],
    ],
    ['a key that is twice', 'a: 1\na: 2', ['stdin:2:1: expected YAML or JSON: Map keys must be unique']],
    ['a text', 'hello', ['stdin:1:1: expected an object with apiVersion and kind, found "hello"']],
    ['an object without a kind', '---\napiVersion: v1\n', ['stdin:2:1: expected an object with kind']],
    ['no spec', 'apiVersion: v1\nkind: Pod\n', ['stdin:1:1: spec: expected object, and it is missing']],
    [
      'no containers',
      'apiVersion: v1\nkind: Pod\nspec:\n  volumes: []\n',
      ['stdin:4:3: spec.containers: expected array, and it is missing'],
    ],
    [
      'members of wrong types, all of them',
      'apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: 1}}\nspec:\n  containers:\n  - {name: a, image: b, args: [x, 1]}\n  restartPolicy: Nevr\n',
      [
        'stdin:3:24: metadata.labels.a: expected string, received number',
        'stdin:6:35: spec.containers[0].args[1]: expected string, received number',
        'stdin:7:18: spec.restartPolicy: expected one of "Always"|"OnFailure"|"Never"',
      ],
    ],
    [
      'types of what only the rules read',
      'apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsUser: "1000"}\n  dnsConfig: {searches: a, options: [{value: 5}]}\n  containers:\n  - {name: a, image: b, workingDir: 5, securityContext: {runAsNonRoot: "true", runAsUser: 0.5}}\n',
      [
        'stdin:4:32: spec.securityContext.runAsUser: expected number, received string',
        'stdin:5:25: spec.dnsConfig.searches: expected array, received string',
        'stdin:5:46: spec.dnsConfig.options[0].value: expected string, received number',
        'stdin:7:37: spec.containers[0].workingDir: expected string, received number',
        'stdin:7:72: spec.containers[0].securityContext.runAsNonRoot: expected boolean, received string',
        'stdin:7:91: spec.containers[0].securityContext.runAsUser: expected int, received number',
      ],
    ],
    [
      'a Job that would never end',
      'apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: []}}}\n',
      ['stdin:3:25: spec.template.spec.restartPolicy: expected OnFailure or Never, which a Job takes, found Always'],
    ],
    [
      'the second JSON value',
      '{"apiVersion":"v1","kind":"Service"}\n{"apiVersion":"v1","kind":"Pod","spec":7}',
      ['stdin:2:40: spec: expected object, received number'],
    ],
    ['JSON that is cut off', '{"apiVersion":"v1",\n"kind":', ['stdin:2:8: expected YAML or JSON']],
    [
      'an item of a list',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{name: 5}]}}\n',
      ['stdin:4:58: spec.containers[0].name: expected string, received number'],
    ],
    ['brackets by the thousand', '['.repeat(20_000), ['expected YAML or JSON that is not nested so deep']],
    [
      'aliases that multiply',
      [
        'a: &a [x]',
        ...['b', 'c', 'd', 'e'].map((key, at) => `${key}: &${key} [${`*${'abcd'[at] ?? ''},`.repeat(10)}]`),
      ].join('\n'),
      ['stdin:1:1: expected YAML with fewer aliases'],
    ],
    ['an alias of itself', '&a [*a]', ['stdin:1:4: expected YAML without an alias inside of what it names']],
    ['nothing', '', ['there is nothing in stdin', 'expected YAML or JSON of Kubernetes objects']],
    [
      'a name that is a number',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: 5}\n',
      ['stdin:3:18: metadata.name: expected string'],
    ],
    [
      'metadata that no API server writes',
      pod('x: null', 'name: p, ownerReferences: 5'),
      ['stdin:3:11: metadata: expected that of a pod'],
    ],
    ['comments', '---\n# none\n', ['there is nothing in stdin']],
    ['an alias of nothing', 'a: &x 1\nb: [*x, *y]\n', ['stdin:2:9: expected an anchor &y before the alias']],
    [
      'items of a list that are no objects, however deep',
      'apiVersion: v1\nkind: List\nitems:\n- null\n- {apiVersion: v1, kind: List, items: [x]}\n',
      ['stdin:4:3: items[0]: expected an object', 'stdin:5:40: items[1].items[0]: expected an object'],
    ],
    [
      'a ConfigMap whose texts are none',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: 5}\n',
      ['stdin:4:7: data: expected texts, and base64 in binaryData'],
    ],
    ...['"3"', '2.5', '-1'].map((count): [string, string, string[]] => [
      `${count} replicas`,
      `apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: ${count}, template: {spec: {containers: []}}}\n`,
      ['stdin:3:18: spec.replicas: expected a whole number, 0 or more'],
    ]),
    [
      'the parallelism of a CronJob',
      'apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {parallelism: many}}}\n',
      ['stdin:3:42: spec.jobTemplate.spec.parallelism: expected a whole number'],
    ],
  ])('%s', async (_, text, sentences) => {
    const shown = await explain(text);
    expect([shown.code, shown.stdout]).toEqual([2, '']);
    for (const sentence of sentences) expect(shown.stderr).toContain(sentence);
  });

  it('reports the first of very many faults', async () => {
    const shown = await explain(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[${'1,'.repeat(150_000)}1]}}`);
    expect([shown.code, shown.stdout]).toEqual([2, '']);
    expect(shown.stderr).toContain('spec.containers[0]: expected object, received number');
    expect(shown.stderr).toContain('and 149991 more');
  });

  it('never shows a stack, whatever bytes come', async () => {
    for (let seed = 1; seed < 40; seed++) {
      const bytes = Array.from({ length: 200 }, (_, at) =>
        String.fromCharCode(((seed * 7919 + at * at * 31) % 95) + 32),
      );
      const shown = await explain(bytes.join('').replaceAll('~', '\n'));
      expect([shown.code, shown.stdout]).toEqual([2, '']);
      expect(shown.stderr).not.toContain('    at ');
    }
  });
});

describe('wrong options', () => {
  let dir = '';
  beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'explain-'))));
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each<[string, string[], string]>([
    ['no file', [], '--filename is missing'],
    ['a file that is not there', ['-f', '/nowhere/x.yaml'], '/nowhere/x.yaml can not be read: ENOENT'],
    ['a number that is none', ['-f', '-', '--max-cpu', 'many'], '--max-cpu wants a number, not "many"'],
    ['one price of two', ['-f', '-', '--price-cpu-second', '1'], 'only one of the two prices is given'],
  ])('%s', async (_, args, sentence) => {
    const shown = await run(['explain', ...args]);
    expect([shown.code, shown.stdout]).toEqual([2, '']);
    expect(shown.stderr).toContain(sentence);
  });

  it('a folder without manifests', async () => {
    expect((await run(['explain', '-f', dir])).stderr).toContain('has no .yaml, .yml or .json file');
  });

  it('names in its help what its JSON has', () => {
    for (const member of ['schemaVersion', 'wayOut', 'pricePerHour', 'skipped'])
      expect(explainCommand.help).toContain(member);
  });
});
