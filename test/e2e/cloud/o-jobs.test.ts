/** Jobs on the whole cloud in the shapes of a mesh, a pipeline, a runner and a workflow: how their containers end is what their tools go by. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from './app-settings.ts';
import { recordPods } from './oracles.ts';
import { apply, createNamespace, field, kubectl, output, phase, podNames, removeNamespace, until } from './cloud.ts';
import { indexed, meshed, runnerJob, steps, workflow } from './job-shapes.ts';

const namespace = 'o-jobs';
const published = settings()['AGENT_IMAGE'];
const recorder = recordPods(namespace);
const of = (kind: string, name: string, path: string): Promise<string> => field(kind, name, path, namespace);
const logs = (name: string, container: string): Promise<string> =>
  output('logs', '-n', namespace, name, '-c', container);
const ends = (name: string): Promise<string> =>
  of('pod', name, '{range .status.containerStatuses[*]}{.name}={.state.terminated.exitCode} {end}');
const condition = (job: string): Promise<string> =>
  until(
    `${job} has ended`,
    () => of('job', job, '{range .status.conditions[?(@.status=="True")]}{.type}={.reason} {end}'),
    (seen) => /Complete=|Failed=/.test(seen),
    240_000,
  );
const phaseIs = (name: string, wanted: string): Promise<string> =>
  until(
    `${name} is ${wanted}`,
    () => phase(name, namespace),
    (seen) => seen === wanted,
    240_000,
  );
const exec = (name: string, container: string, input: string, ...command: readonly string[]) =>
  kubectl(['exec', '-i', '-n', namespace, name, '-c', container, '--', ...command], { input });

describe.runIf(published !== undefined)('jobs', () => {
  beforeAll(async () => {
    await createNamespace(namespace);
    await apply(
      meshed(namespace, 'meshed'),
      steps(namespace, 'steps'),
      runnerJob(namespace, 'runner'),
      workflow(namespace, 'workflow'),
      indexed(namespace, 'indexed'),
    );
  });
  afterAll(async () => {
    await recorder.stop();
    await removeNamespace(namespace);
  });

  it('the steps of a pipeline wait for an annotation and for each other; their results are their messages', async () => {
    await phaseIs('steps', 'Running');
    await output('annotate', 'pod', 'steps', '-n', namespace, 'tekton.dev/ready=READY');
    await phaseIs('steps', 'Succeeded');
    const messages = '{range .status.containerStatuses[*]}{.state.terminated.message}{"\\n"}{end}';
    const said = (index: number): RegExp =>
      new RegExp(
        `^\\[\\{"key":"said","value":"${index}","type":1\\},\\{"key":"StartedAt","value":"[^"]+Z","type":3\\}\\]$`,
      );
    const [first = '', second = ''] = (await of('pod', 'steps', messages)).split('\n');
    expect(first).toMatch(said(0));
    expect(second).toMatch(said(1));
    expect(await logs('steps', 'step-1')).toBe('step 1 in /workspace\n');
    expect(await ends('steps')).toBe('step-0=0 step-1=0 ');
  });

  it("a runner attaches to the shell of a job, and reads the script's log and code by exec", async () => {
    await phaseIs('runner', 'Running');
    // The shell goes on when the runner's input has ended, and so does attach: it is left after a while.
    for (const [stage, code] of [
      ['prepare', 0],
      ['step', 3],
    ]) {
      const following = exec(
        'runner',
        'helper',
        '',
        'sh',
        '-c',
        `until grep -q "${stage} ended" /logs/output.log; do sleep 1; done; cat /logs/output.log`,
      );
      await kubectl(['attach', '-i', '-n', namespace, 'runner', '-c', 'build'], {
        input: `(echo ${stage} >>/builds/artefact; echo running ${stage}; exit ${code}) >>/logs/output.log 2>&1; echo "${stage} ended $?" | tee -a /logs/output.log\n`,
        timeoutMs: 8_000,
      });
      expect((await following).stdout).toContain(`running ${stage}\n${stage} ended ${code}\n`);
    }
    expect(await logs('runner', 'build')).toBe('prepare ended 0\nstep ended 3\n');
  });

  it('a runner execs each stage with its script as input, and sees how it ended; then it deletes the pod', async () => {
    await phaseIs('runner', 'Running');
    const made = await exec('runner', 'helper', 'echo from helper >/builds/source\n', 'sh');
    expect(made.code).toBe(0);
    const stage = await exec('runner', 'build', 'cat /builds/source; echo oops >&2; exit 3\necho never\n', 'sh');
    expect(stage).toMatchObject({ code: 3, stdout: 'from helper\n' });
    expect(stage.stderr).toContain('oops\n');
    await output('delete', 'pod', '-n', namespace, 'runner', '--timeout=90s');
    const codes = recorder.of('runner')?.pod.status?.containerStatuses?.map(({ state }) => state?.terminated?.exitCode);
    console.log(`the shells of the runner's job ended with ${JSON.stringify(codes)}`);
    expect(codes?.every((code) => code !== undefined)).toBe(true);
  });

  it("a workflow's sidecars end by a signal that is sent to their first process", async () => {
    await until(
      'main and wait have ended',
      () => ends('workflow'),
      (seen) => seen.includes('wait=0 ') || seen.startsWith('wait=0 '),
      240_000,
    );
    expect(await logs('workflow', 'wait')).toBe('hello world\n');
    expect(await phase('workflow', namespace)).toBe('Running');
    for (const index of [0, 1]) {
      const killed = await exec('workflow', `sidecar-${index}`, '', 'sh', '-c', 'kill -15 1');
      expect(killed.code).toBe(0);
    }
    await phaseIs('workflow', 'Failed');
    const codes = (await ends('workflow')).trim().split(' ').toSorted();
    expect(codes).toEqual(['main=0', 'sidecar-0=0', 'sidecar-1=1', 'wait=0']);
    expect(await logs('workflow', 'sidecar-1')).toBe('up\ncaught TERM\n');
  });

  it('a Job with a sidecar is complete when main has ended, and the sidecar ends after its hook, with its own code', async () => {
    expect(await condition('meshed')).toContain('Complete=');
    const [name = ''] = await podNames('app=meshed', namespace);
    expect(await phase(name, namespace)).toBe('Succeeded');
    expect(await logs(name, 'main')).toBe('live\nmain ends\n');
    expect(await of('pod', name, '{.status.initContainerStatuses[?(@.name=="proxy")].state.terminated.exitCode}')).toBe(
      '6',
    );
    expect(await logs(name, 'proxy')).toBe('drained\n');
  });

  it('a Job of ten indexes tries again or gives up as the exit codes say', async () => {
    expect(await condition('indexed')).toContain('Failed=FailedIndexes');
    expect(await of('job', 'indexed', '{.status.completedIndexes} {.status.failedIndexes}')).toBe('0-6,8,9 7');
    const codes = [...recorder.histories.values()]
      .filter(({ name }) => name.startsWith('indexed-'))
      .map(({ pod }) => pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode)
      .filter((code) => code !== 0);
    expect(codes).toHaveLength(2);
    expect(codes).toEqual(expect.arrayContaining([5, 42]));
  });
});
