import { describe, expect, it } from 'vitest';
import type { Administrator, Question } from '../../../infra/local/up/administrator.ts';
import { describeSkipped, examples, runExamples } from '../../../infra/local/up/examples.ts';
import { silentProgress } from '../../../infra/cli/progress.ts';

const everything = { images: true, controllers: true };
const nothing = { images: false, controllers: false };

/** A cluster where everything is at once as it should be. */
function perfectCluster(answers: (question: Question) => string) {
  const applied: string[] = [];
  const administrator: Administrator = {
    apply: async (files) => void applied.push(...files.map((file) => file.replace(/.*\//, ''))),
    ask: async (question) => answers(question),
    attach: () => Promise.reject(new Error('not asked for')),
    requestToken: () => Promise.reject(new Error('not asked for')),
    readReady: async () => 'True',
    remove: async () => undefined,
    watchPods: () => () => undefined,
    close: () => undefined,
  };
  return { administrator, applied };
}

describe('the examples', () => {
  it('that need what is missing are left out, and named with what they need', () => {
    expect(describeSkipped(everything)).toEqual([]);
    expect(describeSkipped(nothing)).toEqual([
      'init-container.yaml is left out: it needs container images (Podman or Docker)',
      'deployment.yaml is left out: it needs container images (Podman or Docker) and the controllers of a real Kubernetes',
      'job-pi.yaml is left out: it needs container images (Podman or Docker) and the controllers of a real Kubernetes',
      'service-account.yaml is left out: it needs container images (Podman or Docker)',
      'cronjob.yaml is left out: it needs the controllers of a real Kubernetes',
    ]);
    expect(describeSkipped({ images: false, controllers: true }).join()).not.toContain('cronjob');
  });

  it('that are left need no kubectl', () => {
    const left = examples.filter(({ needs }) => !needs.includes('controllers'));
    expect(left.flatMap(({ question, proof }) => [question.kind, proof.kind])).not.toContain('kubectl');
  });

  it('are tried, and say what they showed', async () => {
    const answers = (question: Question): string => {
      if (question.kind === 'log') return question.pod === 'ticker' ? 'tick at 12:00:00' : 'about to fail';
      return question.kind === 'pod' && question.name === 'ticker' ? 'Running//' : 'Failed/Error/3';
    };
    const { administrator, applied } = perfectCluster(answers);
    expect(await runExamples(administrator, silentProgress, nothing)).toEqual([
      { file: 'ticker.yaml', ok: true, output: 'tick at 12:00:00' },
      { file: 'exit-code.yaml', ok: true, output: 'about to fail' },
    ]);
    expect(applied).toEqual(['ticker.yaml', 'exit-code.yaml']);
  });

  it('fail when they cannot be applied', async () => {
    const { administrator } = perfectCluster(() => '');
    const broken = { ...administrator, apply: () => Promise.reject(new Error('no room')) };
    const [result] = await runExamples(broken, silentProgress, nothing);
    expect(result).toEqual({ file: 'kubectl apply', ok: false, output: 'no room' });
  });
});
