import { failure, wrongInput } from '../stop.ts';
import type { Stop } from '../stop.ts';

/** Why an API server did not do as asked. */
export type ClusterFault =
  | { readonly kind: 'no-kubeconfig' }
  | { readonly kind: 'no-context' }
  | { readonly kind: 'bad-kubeconfig'; readonly message: string }
  | { readonly kind: 'plugin-missing'; readonly program: string }
  | { readonly kind: 'login-expired' }
  | { readonly kind: 'plugin-failed'; readonly program: string; readonly message: string }
  | { readonly kind: 'unreachable'; readonly why: 'unknown name' | 'refused' | 'no answer' | 'proxy' }
  | { readonly kind: 'untrusted' }
  | { readonly kind: 'unauthenticated' }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'not-found'; readonly message: string }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

const nameCodes = ['ENOTFOUND', 'EAI_AGAIN'];
const silentCodes = ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNRESET', 'EPIPE', 'ABORT_ERR'];
const isTls = /CERT|SELF_SIGNED|VERIFY|ISSUER|^ERR_TLS|^ERR_SSL|^EPROTO/;

/** What became of a request that got no answer: an error of Node's sockets and TLS. */
export function connectionFault(error: unknown): ClusterFault {
  const { code = '', message } = nodeError(error);
  if (nameCodes.includes(code)) return { kind: 'unreachable', why: 'unknown name' };
  if (code === 'ECONNREFUSED') return { kind: 'unreachable', why: 'refused' };
  if (silentCodes.includes(code)) return { kind: 'unreachable', why: 'no answer' };
  if (isTls.test(code)) return { kind: 'untrusted' };
  // Of a proxy that does not connect.
  if (/bad response|proxy|tunnel/i.test(message)) return { kind: 'unreachable', why: 'proxy' };
  return { kind: 'bad-kubeconfig', message };
}

/** What became of the kubeconfig's exec plugin, of which `program` is the name. */
export function pluginFault(error: unknown, program: string): ClusterFault {
  const { code, message } = nodeError(error);
  if (code === 'ENOENT' || code === 'EACCES') return { kind: 'plugin-missing', program };
  if (/AADSTS|refresh token|az login|token (has )?expired/i.test(message)) return { kind: 'login-expired' };
  const lines = message.trim().split('\n');
  return { kind: 'plugin-failed', program, message: lines.at(-1) ?? '' };
}

/** What a status outside of 200 to 299 means, with the `message` of its metav1.Status. */
export function statusFault(status: number, message: string): ClusterFault {
  if (status === 401) return { kind: 'unauthenticated' };
  if (status === 403) return { kind: 'forbidden', message };
  if (status === 404) return { kind: 'not-found', message };
  return { kind: 'refused', status, message };
}

function nodeError(error: unknown): { readonly code?: string; readonly message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const [first] = error instanceof AggregateError ? error.errors : [];
  const reported = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  if (first instanceof Error && !('code' in reported)) return nodeError(first);
  return { ...reported, message: error.message };
}

const whys = {
  'unknown name': 'its name is not known here',
  refused: 'the connection is refused',
  'no answer': 'it does not answer',
  proxy: 'the proxy does not connect to it',
} as const;

/** One sentence and a fix. */
export function clusterStop(fault: ClusterFault): Stop {
  switch (fault.kind) {
    case 'no-kubeconfig':
      return wrongInput(
        'there is no kubeconfig that names a cluster',
        'give one with --kubeconfig FILE, or --aks NAME',
      );
    case 'no-context':
      return wrongInput('the kubeconfig has no such context', 'kubectl config get-contexts lists them');
    case 'bad-kubeconfig':
      return wrongInput(`the kubeconfig can't be used: ${fault.message}`, 'kubectl config view shows it');
    case 'plugin-missing':
      return wrongInput(
        `${fault.program} is not on PATH`,
        fault.program === 'kubelogin' ? 'install it with az aks install-cli' : 'the kubeconfig gets its tokens from it',
      );
    case 'login-expired':
      return wrongInput('the login for the cluster has expired', 'run az login');
    case 'plugin-failed':
      return failure(
        `${fault.program}, which the kubeconfig asks for a token, failed: ${fault.message}`,
        'run it by hand to see more',
      );
    case 'unreachable':
      return wrongInput(
        `the cluster's API server cannot be reached: ${whys[fault.why]}`,
        'a private cluster is reached from its network only: run this there (VPN, jump host, az aks command); check --context and kubectl get nodes',
      );
    case 'untrusted':
      return wrongInput(
        "the API server's certificate is not from the authority of the kubeconfig",
        'the cluster may have been built anew: az aks get-credentials --overwrite-existing',
      );
    case 'unauthenticated':
      return wrongInput(
        "the cluster does not know the kubeconfig's user",
        'get fresh credentials: az aks get-credentials',
      );
    case 'forbidden':
      return failure(fault.message, 'use the kubeconfig of an administrator of the cluster');
    case 'not-found':
      return failure(fault.message, 'check --context');
    case 'refused':
      return failure(
        `the API server answered ${String(fault.status)}: ${fault.message}`,
        'see the cluster, then the same command again',
      );
  }
}
