import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { notInstalled, runProgram, timedOut } from './program.ts';
import type { ProgramResult } from './program.ts';
import { Stop } from './stop.ts';

/** Runs `az … --output json`. */
export interface AzureCli {
  /**
   * What it printed, parsed; `undefined` where it printed nothing, as its `list` commands do for what is not there.
   * Throws a `Stop` that names the fix.
   */
  json(args: readonly string[]): Promise<unknown>;
}

export interface AzureCliOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export function createAzureCli({ environment: own, signal }: AzureCliOptions): AzureCli {
  // A group that the operator set as az's default would be asked instead of the subscription where no group is named.
  const environment = { ...own, AZURE_DEFAULTS_GROUP: '' };
  return {
    json: async (args) => {
      const result = await runProgram('az', [...args, '--output', 'json', '--only-show-errors'], {
        environment,
        signal,
      });
      if (result.code !== 0) throw stopOf(args, result);
      return parseAnswer(args, result.stdout);
    },
  };
}

function parseAnswer(args: readonly string[], text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    const answer: unknown = JSON.parse(text);
    return answer;
  } catch {
    throw new Stop(exitCodes.failed, `${commandOf(args)} did not answer in JSON`, 'update the Azure CLI: az upgrade');
  }
}

/** A refusal that whoever asked may word better. */
type Refused = 'denied' | 'not-found';

class AzRefusal extends Stop {
  readonly refused: Refused;

  constructor(refused: Refused, { code, problem, fix }: Pick<Trouble, 'code' | 'problem' | 'fix'>) {
    super(code, problem, fix);
    this.refused = refused;
  }
}

/** Whether az reported that the account lacks a right. */
export const azDenied = (error: unknown): boolean => error instanceof AzRefusal && error.refused === 'denied';
/** Whether az reported that the resource is not there. */
export const azNotFound = (error: unknown): boolean => error instanceof AzRefusal && error.refused === 'not-found';

interface Trouble {
  readonly refused?: Refused;
  readonly says: RegExp;
  readonly code: ExitCode;
  readonly problem: string;
  readonly fix: string;
}

/** What az says, by its own words; the first that fits. */
const troubles: readonly Trouble[] = [
  {
    says: /InvalidAuthenticationTokenTenant/,
    code: exitCodes.usage,
    problem: 'the login of the Azure CLI is for another tenant than that of the subscription',
    fix: 'log in to it with az login --tenant',
  },
  {
    says: /AADSTS(70043|700082|50173|50076|50078|50079)|refresh token has expired|token (has )?expired|(Expired|Invalid)AuthenticationToken|Interactive authentication is needed|claims challenge/i,
    code: exitCodes.usage,
    problem: 'the login of the Azure CLI has expired',
    fix: 'run az login',
  },
  {
    says: /AADSTS\d+/,
    code: exitCodes.usage,
    problem: 'Entra refuses the login of the Azure CLI',
    fix: 'run az login, which says why',
  },
  {
    says: /az login|not logged in|No subscription found/i,
    code: exitCodes.usage,
    problem: 'the Azure CLI is not logged in',
    fix: 'run az login',
  },
  {
    says: /subscription .*(doesn'?t exist|not found|could not be found)|SubscriptionNotFound|InvalidSubscriptionId/i,
    code: exitCodes.usage,
    problem: 'the login of the Azure CLI does not know that subscription',
    fix: 'az account list shows those it knows; give one with --subscription, or log in to the other tenant with az login --tenant',
  },
  {
    says: /ResourceGroupNotFound/i,
    code: exitCodes.usage,
    problem: 'there is no such resource group in that subscription',
    fix: 'az group list shows the groups; check --resource-group and --subscription',
  },
  {
    refused: 'denied',
    says: /AuthorizationFailed|does not have authorization|Forbidden/i,
    code: exitCodes.failed,
    problem: 'your account has no role that allows this',
    fix: 'ask an owner of the resource group for the role that docs/deploy.md names for this command',
  },
  {
    refused: 'not-found',
    says: /ResourceNotFound|was not found|could not be found|NotFound/i,
    code: exitCodes.usage,
    problem: 'there is no resource of that name there',
    fix: 'check the name, --resource-group and --subscription',
  },
  {
    says: /Failed to establish a new connection|Failed to resolve|Max retries exceeded|ProxyError|CERTIFICATE_VERIFY_FAILED/,
    code: exitCodes.failed,
    problem: 'Azure can not be reached from here',
    fix: 'check the network; behind a proxy az needs HTTPS_PROXY, and REQUESTS_CA_BUNDLE where it opens TLS',
  },
];

/** One sentence and a fix for a run of az that failed. */
export function stopOf(args: readonly string[], result: ProgramResult): Stop {
  const command = commandOf(args);
  if (result.code === notInstalled)
    return new Stop(
      exitCodes.usage,
      'the Azure CLI (az) is not on PATH',
      "install it (https://aka.ms/install-azure-cli), or give the app's settings with --settings FILE and the cluster with --kubeconfig FILE",
    );
  const trouble = troubles.find(({ says }) => says.test(result.stderr));
  if (trouble !== undefined) {
    const { refused, code, fix } = trouble;
    const problem = `${command}: ${trouble.problem}`;
    return refused === undefined ? new Stop(code, problem, fix) : new AzRefusal(refused, { code, problem, fix });
  }
  const byHand = 'run it by hand to see more';
  if (result.code === timedOut) return new Stop(exitCodes.failed, `${command} did not end in two minutes`, byHand);
  return new Stop(exitCodes.failed, `${command} failed: ${errorLine(result.stderr)}`, byHand);
}

/** ARM's code and message are repeated in lines of their own, a traceback and advice may follow: the first `ERROR:` says it. */
function errorLine(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const said = lines.find(
    (line) => line.startsWith('ERROR: ') && !line.includes('The command failed with an unexpected'),
  );
  return (said ?? lines.at(-1) ?? '').replace(/^ERROR:\s*/, '');
}

/** `az functionapp show`, without names and values. */
function commandOf(args: readonly string[]): string {
  const firstOption = args.findIndex((arg) => arg.startsWith('-'));
  return ['az', ...(firstOption === -1 ? args : args.slice(0, firstOption))].join(' ');
}
