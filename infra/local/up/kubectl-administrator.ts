import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { attachNodes, requestToken } from '../cluster/attach.ts';
import { kubectl, kubectlOutput } from '../cluster/kubectl.ts';
import type { KubectlTarget } from '../cluster/kubectl.ts';
import type { Administrator, Question, Sighting } from './administrator.ts';

const podEnd =
  '{.status.phase}/{.status.containerStatuses[0].state.terminated.reason}/{.status.containerStatuses[0].state.terminated.exitCode}';
const columns = 'jsonpath={.metadata.name}|{.metadata.uid}|{.spec.nodeName}|{.status.startTime}|{.status.phase}{"\\n"}';

/** {@link Administrator} by the kubectl of `target`. */
export function kubectlAdministrator(target: KubectlTarget): Administrator {
  const named = (files: readonly string[]): string[] => files.flatMap((file) => ['-f', file]);
  return {
    attach: (nodes, options) => attachNodes({ kubectl: target, nodes, ...options }),
    requestToken: (wanted) => requestToken({ kubectl: target, ...wanted }),
    readReady: (node) =>
      kubectlOutput(
        ['get', 'node', node, '--ignore-not-found', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'],
        target,
      ),
    apply: async (files) => void (await kubectlOutput(['apply', ...named(files)], target)),
    remove: async (files) => {
      const args = ['delete', ...named(files), '--ignore-not-found', '--cascade=foreground', '--timeout=60s'];
      await kubectl(args, { ...target, timeoutMs: 70_000 });
    },
    ask: async (question) => {
      const { stdout, stderr } = await kubectl(argumentsOf(question), target);
      return `${stdout}${stderr}`;
    },
    watchPods: (see) => watchPods(target, see),
    close: () => undefined,
  };
}

function argumentsOf(question: Question): readonly string[] {
  switch (question.kind) {
    case 'pod':
      return ['get', 'pod', question.name, '-o', `jsonpath=${podEnd}`];
    case 'log':
      return ['logs', question.pod];
    case 'kubectl':
      return question.args;
  }
}

function watchPods(target: KubectlTarget, see: (pod: Omit<Sighting, 'at'>) => void): () => void {
  const child = spawn(
    target.binary,
    ['--kubeconfig', target.kubeconfig, 'get', 'pods', '-n', 'default', '--watch', '-o', columns],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [name = '', uid = '', nodeName, startTime, phase = ''] = line.split('|');
    if (uid !== '') see({ name, uid, isBound: nodeName !== '', isAccepted: startTime !== '', phase });
  });
  return () => void child.kill();
}
