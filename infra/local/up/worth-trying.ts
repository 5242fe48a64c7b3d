import type { Cloud } from './cloud.ts';
import type { Cluster } from './cluster.ts';
import { onPath } from '../aci/runtime/engine/backend.ts';

const everywhere = `  k get nodes -o wide
  k get pods -o wide
  k logs -f ticker
  k describe pod exit-3`;

const withControllers = `  k logs job/pi
  k rollout restart deployment/web
  k delete pod -l app=web --wait=false
  k drain aci-1 --ignore-daemonsets --delete-emptydir-data && k uncordon aci-1`;

const embedded = `  k delete pod exit-3 && k apply -f docs/examples/exit-code.yaml
  k delete pod ticker`;

/** What a person may do in another terminal while the cloud runs. `dir`: its folder, where that is not the default one. */
export function worthTrying(
  { cluster, kubeconfig }: Pick<Cloud, 'kubeconfig'> & { readonly cluster: Pick<Cluster, 'kind' | 'kubectl'> },
  dir: string | undefined,
): string {
  const more = dir === undefined ? '' : ` -- --dir ${dir}`;
  const isEmbedded = cluster.kind === 'embedded';
  const missing = isEmbedded && onPath(cluster.kubectl) === undefined ? [noKubectl] : [];
  return [
    '\nWorth trying, in another terminal:\n',
    ...missing,
    `  export KUBECONFIG=${kubeconfig}`,
    `  alias k=${cluster.kubectl}`,
    everywhere,
    isEmbedded ? embedded : withControllers,
    `  npm run status${more}            # nodes, pods, groups, budgets, and what needs attention`,
    `  npm run doctor${more}            # checks everything one by one`,
    `  npm run detach${more}            # pods, groups, Node and Lease go, and stay gone`,
    '\nCtrl-C ends everything.',
  ].join('\n');
}

const noKubectl = `  (there is no kubectl in the PATH: https://kubernetes.io/docs/tasks/tools/, or \`npm run cluster:build\` where there is Go)
`;
