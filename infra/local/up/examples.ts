import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl } from '../cluster/kubectl.ts';
import type { KubectlTarget } from '../cluster/kubectl.ts';
import type { Progress } from '../progress.ts';
import { repository } from './host.ts';

/** One manifest, what shows that it did what it is for, and what of its output is worth printing. */
interface Example {
  readonly file: string;
  /** A kubectl question and the answer that ends the waiting. */
  readonly question: readonly string[];
  readonly answer: RegExp;
  readonly logs: readonly string[];
  /** What the output must hold. */
  readonly output: RegExp;
  /** Some images are not there as plain processes. */
  readonly needsImages: boolean;
}

const containerEnd =
  '{.status.phase}/{.status.containerStatuses[0].state.terminated.reason}/{.status.containerStatuses[0].state.terminated.exitCode}';
const pod = (name: string): string[] => ['get', 'pod', name, '-o', `jsonpath=${containerEnd}`];

export const examples: readonly Example[] = [
  {
    file: 'exit-code.yaml',
    question: pod('exit-3'),
    answer: /^Failed\/Error\/3$/,
    logs: ['logs', 'exit-3'],
    output: /about to fail/,
    needsImages: false,
  },
  {
    file: 'init-container.yaml',
    question: pod('init-first'),
    answer: /^Succeeded\/Completed\/0$/,
    logs: ['logs', 'init-first'],
    output: /prepared at \S+/,
    needsImages: true,
  },
  {
    file: 'deployment.yaml',
    question: ['get', 'deployment', 'web', '-o', 'jsonpath={.status.availableReplicas}'],
    answer: /^3$/,
    logs: ['get', 'deployment', 'web'],
    output: /3\/3/,
    needsImages: true,
  },
  {
    file: 'job-pi.yaml',
    question: ['get', 'job', 'pi', '-o', 'jsonpath={.status.succeeded}'],
    answer: /^1$/,
    logs: ['logs', 'job/pi'],
    output: /3\.14159265358979/,
    needsImages: true,
  },
  {
    file: 'service-account.yaml',
    question: pod('caller'),
    answer: /^Succeeded\/Completed\/0$/,
    logs: ['logs', 'caller'],
    output: /system:serviceaccount:default:caller/,
    needsImages: true,
  },
  {
    file: 'cronjob.yaml',
    question: [
      'get',
      'jobs',
      '-o',
      'jsonpath={range .items[?(@.metadata.ownerReferences[0].name=="clock")]}{.status.succeeded}{end}',
    ],
    answer: /1/,
    logs: ['get', 'cronjob', 'clock'],
    output: /clock/,
    needsImages: false,
  },
];

/** New tables make the first pods wait a minute, and a CronJob's first run may be another one away. */
const patienceMs = 200_000;
const pollMs = 500;

export interface ExampleResult {
  readonly file: string;
  readonly ok: boolean;
  readonly output: string;
}

/** Applies all manifests at once and waits for each; a result says whether it did what it is for. */
export async function runExamples(
  target: KubectlTarget,
  progress: Progress,
  options: { readonly images: boolean },
): Promise<readonly ExampleResult[]> {
  const chosen = examples.filter((example) => options.images || !example.needsImages);
  const files = chosen.flatMap((example) => ['-f', join(repository, 'docs/examples', example.file)]);
  const applied = await kubectl(['apply', ...files], target);
  if (applied.code !== 0) return [{ file: 'kubectl apply', ok: false, output: applied.stderr }];
  return Promise.all(chosen.map((example) => runExample(target, progress, example)));
}

/** Deletes what the examples of an earlier start made, and waits until it is gone. */
export async function removeExamples(target: KubectlTarget): Promise<void> {
  const files = examples.flatMap((example) => ['-f', join(repository, 'docs/examples', example.file)]);
  await kubectl(['delete', ...files, '--ignore-not-found', '--cascade=foreground', '--timeout=60s'], {
    ...target,
    timeoutMs: 70_000,
  });
}

async function runExample(target: KubectlTarget, progress: Progress, example: Example): Promise<ExampleResult> {
  try {
    return await progress.step(example.file, async (report) => {
      report(await waitForAnswer(target, example));
      const printed = await waitForOutput(target, example);
      return { file: example.file, ok: true, output: printed };
    });
  } catch (error) {
    return { file: example.file, ok: false, output: error instanceof Error ? error.message : String(error) };
  }
}

async function waitForAnswer(target: KubectlTarget, example: Example): Promise<string> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const { stdout, stderr } = await kubectl([...example.question], target);
    if (example.answer.test(stdout)) return stdout;
    if (Date.now() > giveUpAt)
      throw new Error(
        `kubectl ${example.question.join(' ')} still answers "${stdout}${stderr}", not ${String(example.answer)}`,
      );
    await sleep(pollMs);
  }
}

async function waitForOutput(target: KubectlTarget, example: Example): Promise<string> {
  const { stdout, stderr } = await kubectl([...example.logs], target);
  if (!example.output.test(stdout))
    throw new Error(
      `kubectl ${example.logs.join(' ')} printed "${stdout}${stderr}", without ${String(example.output)}`,
    );
  return stdout;
}
