import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../cli/progress.ts';
import { describeQuestion } from './administrator.ts';
import type { Administrator, Question } from './administrator.ts';
import { repository } from './host.ts';

/** What not every laptop cloud has. */
type Need = 'images' | 'controllers';

/** One manifest, what shows that it did what it is for, and what of its output is worth printing. */
interface Example {
  readonly file: string;
  readonly question: Question;
  /** The answer that ends the waiting. */
  readonly answer: RegExp;
  /** What the answer counts. */
  readonly unit?: string;
  readonly proof: Question;
  /** What the proof must hold. */
  readonly output: RegExp;
  readonly needs: readonly Need[];
}

const pod = (name: string): Question => ({ kind: 'pod', name });
const log = (name: string): Question => ({ kind: 'log', pod: name });
const kubectl = (...args: string[]): Question => ({ kind: 'kubectl', args });

export const examples: readonly Example[] = [
  {
    file: 'ticker.yaml',
    question: pod('ticker'),
    answer: /^Running\/\/$/,
    proof: log('ticker'),
    output: /tick at \d/,
    needs: [],
  },
  {
    file: 'exit-code.yaml',
    question: pod('exit-3'),
    answer: /^Failed\/Error\/3$/,
    proof: log('exit-3'),
    output: /about to fail/,
    needs: [],
  },
  {
    file: 'init-container.yaml',
    question: pod('init-first'),
    answer: /^Succeeded\/Completed\/0$/,
    proof: log('init-first'),
    output: /prepared at \S+/,
    needs: ['images'],
  },
  {
    file: 'deployment.yaml',
    question: kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.status.availableReplicas}'),
    answer: /^3$/,
    unit: 'available',
    proof: kubectl('get', 'deployment', 'web'),
    output: /3\/3/,
    needs: ['images', 'controllers'],
  },
  {
    file: 'job-pi.yaml',
    question: kubectl('get', 'job', 'pi', '-o', 'jsonpath={.status.succeeded}'),
    answer: /^1$/,
    unit: 'succeeded',
    proof: kubectl('logs', 'job/pi'),
    output: /3\.14159265358979/,
    needs: ['images', 'controllers'],
  },
  {
    file: 'service-account.yaml',
    question: pod('caller'),
    answer: /^Succeeded\/Completed\/0$/,
    proof: log('caller'),
    output: /system:serviceaccount:default:caller/,
    needs: ['images'],
  },
  {
    file: 'cronjob.yaml',
    question: kubectl(
      'get',
      'jobs',
      '-o',
      'jsonpath={range .items[?(@.metadata.ownerReferences[0].name=="clock")]}{.status.succeeded}{end}',
    ),
    answer: /1/,
    unit: 'succeeded',
    proof: kubectl('get', 'cronjob', 'clock'),
    output: /clock/,
    needs: ['controllers'],
  },
];

/** New tables can make the first pods wait a minute, and a CronJob's first run may be another one away. */
const patienceMs = 200_000;
/** What a container has just written is not in its log yet. */
const outputPatienceMs = 20_000;
const pollMs = 500;

/** What this laptop cloud has. */
export type Abilities = Readonly<Record<Need, boolean>>;

export interface ExampleResult {
  readonly file: string;
  readonly ok: boolean;
  readonly output: string;
}

/** What is missing for an example; empty when it can be tried. */
const missing = (example: Example, abilities: Abilities): readonly Need[] =>
  example.needs.filter((need) => !abilities[need]);

const lacks: Readonly<Record<Need, string>> = {
  images: 'container images (Podman or Docker)',
  controllers: 'the controllers of a real Kubernetes',
};

/** One line for each example that can't be tried: its file, and what it would need. */
export function describeSkipped(abilities: Abilities): readonly string[] {
  return examples
    .filter((example) => missing(example, abilities).length > 0)
    .map(
      (example) =>
        `${example.file} is left out: it needs ${missing(example, abilities)
          .map((need) => lacks[need])
          .join(' and ')}`,
    );
}

/** Applies all manifests at once and waits for each; a result says whether it did what it is for. */
export async function runExamples(
  administrator: Administrator,
  progress: Progress,
  abilities: Abilities,
): Promise<readonly ExampleResult[]> {
  const chosen = examples.filter((example) => missing(example, abilities).length === 0);
  try {
    await administrator.apply(chosen.map(manifestOf));
  } catch (error) {
    return [{ file: 'kubectl apply', ok: false, output: messageOf(error) }];
  }
  return Promise.all(chosen.map((example) => runExample(administrator, progress, example)));
}

/** Deletes what the examples of an earlier start made, and waits until it is gone. */
export async function removeExamples(administrator: Administrator, abilities: Abilities): Promise<void> {
  const chosen = examples.filter((example) => missing(example, abilities).length === 0);
  await administrator.remove(chosen.map(manifestOf));
}

const manifestOf = (example: Example): string => join(repository, 'docs/examples', example.file);

async function runExample(administrator: Administrator, progress: Progress, example: Example): Promise<ExampleResult> {
  const { file, question, answer, proof, output, unit } = example;
  try {
    return await progress.step(file, async (report) => {
      report(inWords(await waitFor(administrator, question, { answer, patienceMs }), unit));
      const printed = await waitFor(administrator, proof, { answer: output, patienceMs: outputPatienceMs });
      return { file, ok: true, output: printed };
    });
  } catch (error) {
    return { file, ok: false, output: messageOf(error) };
  }
}

async function waitFor(
  administrator: Administrator,
  question: Question,
  wanted: { readonly answer: RegExp; readonly patienceMs: number },
): Promise<string> {
  const giveUpAt = Date.now() + wanted.patienceMs;
  for (;;) {
    const seen = await administrator.ask(question);
    if (wanted.answer.test(seen)) return seen;
    if (Date.now() > giveUpAt)
      throw new Error(`${describeQuestion(question)} still answers "${seen}", not ${String(wanted.answer)}`);
    await sleep(pollMs);
  }
}

/** `Failed/Error/3` as `Failed, Error, 3`; a number as `3 available`. */
const inWords = (seen: string, unit: string | undefined): string =>
  unit === undefined ? seen.split('/').filter(Boolean).join(', ') : `${seen} ${unit}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
