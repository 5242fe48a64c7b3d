import { type ExitCode, exitCodes } from './exit-code.ts';
import { type ProgramResult, notInstalled, runProgram } from './program.ts';
import { Stop } from './stop.ts';

/** Runs `az … --output json`. */
export interface AzureCli {
  /** What it printed, parsed; `undefined` where it printed nothing. Throws a `Stop` that names the fix. */
  json(args: readonly string[]): Promise<unknown>;
}

export interface AzureCliOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export function createAzureCli({ environment, signal }: AzureCliOptions): AzureCli {
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

interface Trouble {
  readonly says: RegExp;
  readonly code: ExitCode;
  readonly problem: string;
  readonly fix: string;
}

/** What az says, by its own words; the first that fits. */
const troubles: readonly Trouble[] = [
  {
    says: /AADSTS(70043|700082|50173|50076|50078|50079)|refresh token has expired|token (has )?expired|Interactive authentication is needed|claims challenge/i,
    code: exitCodes.usage,
    problem: 'the login of the Azure CLI has expired',
    fix: 'run az login',
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
    says: /AuthorizationFailed|does not have authorization|Forbidden/i,
    code: exitCodes.failed,
    problem: 'your account has no role that allows this',
    fix: 'ask an owner of the resource group for the role that docs/deploy.md names for this command',
  },
  {
    says: /ResourceNotFound|was not found|could not be found|NotFound/i,
    code: exitCodes.usage,
    problem: 'there is no resource of that name there',
    fix: 'check the name, --resource-group and --subscription',
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
  if (trouble !== undefined) return new Stop(trouble.code, `${command}: ${trouble.problem}`, trouble.fix);
  const said = result.stderr.trim().split('\n').at(-1) ?? '';
  return new Stop(
    exitCodes.failed,
    `${command} failed: ${said.replace(/^ERROR:\s*/, '')}`,
    'run it by hand to see more',
  );
}

/** `az functionapp show`, without names and values. */
function commandOf(args: readonly string[]): string {
  const firstOption = args.findIndex((arg) => arg.startsWith('-'));
  return ['az', ...(firstOption === -1 ? args : args.slice(0, firstOption))].join(' ');
}
