import type { CliContext } from './context.ts';
import { lastLine } from './program.ts';
import type { ProgramResult } from './program.ts';
import { failure, wrongInput } from './stop.ts';
import type { Stop } from './stop.ts';

type RunOptions = { readonly input?: string; readonly timeoutMs?: number };
type Kubectl = Pick<CliContext, 'kubectl'>;

/** Runs kubectl for its output; whatever fails is a `Stop` with a fix. */
export async function kubectlText(context: Kubectl, args: readonly string[], options?: RunOptions): Promise<string> {
  const result = await context.kubectl(args, options);
  if (result.code !== 0) throw kubectlStop(args, result);
  return result.stdout;
}

interface Trouble {
  readonly says: RegExp;
  readonly stop: () => Stop;
}

const unreachable = (why: string): Stop =>
  wrongInput(
    `the cluster's API server cannot be reached: ${why}`,
    'a private cluster is reached from its network only: run this there (VPN, jump host, az aks command); check --context and kubectl get nodes',
  );

/** What kubectl says, by its own words; the first that fits. */
const troubles: readonly Trouble[] = [
  { says: /no such host|server misbehaving/i, stop: () => unreachable('its name is not known here') },
  {
    says: /connection refused|connection to the server .* was refused/i,
    stop: () => unreachable('the connection is refused'),
  },
  {
    says: /i\/o timeout|deadline exceeded|Client\.Timeout|no route to host|network is unreachable|TLS handshake timeout/i,
    stop: () => unreachable('it does not answer'),
  },
  {
    says: /executable kubelogin not found|kubelogin.*not found/i,
    stop: () => wrongInput('kubelogin is not on PATH', 'install it with az aks install-cli'),
  },
  {
    says: /AADSTS|failed to get token|refresh token|az login/i,
    stop: () => wrongInput('the login for the cluster has expired', 'run az login'),
  },
  {
    says: /must be logged in|Unauthorized|asked for the client to provide credentials/i,
    stop: () =>
      wrongInput("the cluster does not know the kubeconfig's user", 'get fresh credentials: az aks get-credentials'),
  },
  {
    says: /x509:|certificate signed by unknown authority/i,
    stop: () =>
      wrongInput(
        "the API server's certificate is not from the authority of the kubeconfig",
        'the cluster may have been built anew: az aks get-credentials --overwrite-existing',
      ),
  },
  {
    says: /context .*(does not exist|was not found)|no context exists|cannot locate context/i,
    stop: () => wrongInput('the kubeconfig has no such context', 'kubectl config get-contexts lists them'),
  },
  {
    says: /stat .*: no such file|current-context (is not set|must exist)|no configuration has been provided|Missing or incomplete configuration/i,
    stop: () =>
      wrongInput('there is no kubeconfig that names a cluster', 'give one with --kubeconfig FILE, or --aks NAME'),
  },
];

/** One sentence and a fix for a run of kubectl that failed. */
export function kubectlStop(args: readonly string[], result: ProgramResult): Stop {
  const trouble = result.code === 124 ? undefined : troubles.find(({ says }) => says.test(result.stderr));
  if (trouble !== undefined) return trouble.stop();
  if (result.code === 124) return unreachable('it does not answer');
  const command = `kubectl ${args
    .filter((arg) => !arg.startsWith('-'))
    .slice(0, 3)
    .join(' ')}`;
  if (/\(Forbidden\)/.test(result.stderr))
    return failure(`${command}: ${lastLine(result)}`, 'use the kubeconfig of an administrator of the cluster');
  return failure(`${command} failed: ${lastLine(result)}`, 'run it by hand to see more');
}
