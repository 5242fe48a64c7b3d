import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { CliContext } from '../context.ts';
import { aksNetwork, aksNetworkFields } from './aks-network.ts';
import type { AksNetwork } from './aks-network.ts';
import { clusterStop } from './cluster-fault.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { lastLine, notInstalled, runProgram } from '../program.ts';
import { failure, wrongInput } from '../stop.ts';

/** How a cluster is named on the command line, besides --kubeconfig and --context. */
export const clusterOptions: OptionSpecs = {
  aks: { type: 'string', value: 'NAME', description: 'the AKS cluster; its credentials are got with az' },
  'aks-resource-group': { type: 'string', value: 'NAME', description: "the AKS cluster's resource group" },
  'aks-subscription': {
    type: 'string',
    value: 'ID',
    description: "the AKS cluster's subscription (default: the app's)",
  },
};

export interface AksFacts {
  readonly name: string;
  /** Whether the cluster takes Entra tokens (AKS-managed integration). */
  readonly entra: boolean;
  readonly isPrivate: boolean;
  /** The API server's FQDN, which is in its certificate; that of the private zone where the cluster is private. */
  readonly host: string | undefined;
  readonly network: AksNetwork;
}

/** Where the cluster is. */
export interface FoundCluster {
  /** For people; the registration's name when it is new. */
  readonly name: string;
  readonly server: string;
  /** Undefined: the system's authorities. */
  readonly caPem: string | undefined;
  readonly aks: AksFacts | undefined;
}

type ClusterSource =
  | { readonly kind: 'aks'; readonly args: readonly string[]; readonly name: string }
  | { readonly kind: 'kubeconfig' };

/** `--aks` with `--aks-resource-group`, or the kubeconfig (kubectl's own unless given). */
export function clusterSource(options: ParsedOptions): ClusterSource {
  const name = options.text('aks');
  if (name === undefined) {
    if (options.text('aks-resource-group') !== undefined)
      throw wrongInput('--aks-resource-group goes with --aks', 'add --aks NAME');
    return { kind: 'kubeconfig' };
  }
  if (options.text('kubeconfig') !== undefined)
    throw wrongInput('--aks and --kubeconfig both name a cluster', 'give one of them');
  const group = options.text('aks-resource-group');
  if (group === undefined) throw wrongInput('--aks needs its resource group', 'add --aks-resource-group NAME');
  const subscription = options.text('aks-subscription') ?? options.text('subscription');
  const args = ['--name', name, '--resource-group', group];
  return { kind: 'aks', name, args: subscription === undefined ? args : [...args, '--subscription', subscription] };
}

const aksSchema = z.object({
  ...aksNetworkFields,
  nodeResourceGroup: z.string().nullish(),
  aadProfile: z.object({ managed: z.boolean().nullish() }).nullish(),
  apiServerAccessProfile: z.object({ enablePrivateCluster: z.boolean().nullish() }).nullish(),
  powerState: z.object({ code: z.string() }).nullish(),
  fqdn: z.string().nullish(),
  privateFqdn: z.string().nullish(),
});

/** Credentials that az wrote, in a folder of their own; `dispose` removes them. */
export interface ClusterHandle {
  readonly cluster: FoundCluster;
  dispose(): void;
}

/**
 * Finds the cluster and lets the command, kubectl and helm use it: for AKS by a kubeconfig that az writes into a temporary folder
 * and nobody else's. Changes nothing. Does not speak to the API server yet.
 */
export async function findCluster(context: CliContext): Promise<ClusterHandle> {
  const source = clusterSource(context.options);
  if (source.kind === 'kubeconfig') return { cluster: await kubeconfigCluster(context, undefined), dispose: () => {} };
  const aks = aksFacts(source.name, await context.az.json(['aks', 'show', ...source.args]));
  const folder = mkdtempSync(join(tmpdir(), 'serverless-kubelet-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, 'kubeconfig');
    await context.az.json(['aks', 'get-credentials', ...source.args, '--file', file]);
    await useAzureLogin(context, file);
    context.useKubeconfig(file);
    return { cluster: await kubeconfigCluster(context, aks), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Reads `az aks show`. */
export function aksFacts(name: string, answer: unknown): AksFacts {
  const parsed = aksSchema.safeParse(answer);
  if (!parsed.success) throw failure('az aks show did not answer as expected', 'update the Azure CLI: az upgrade');
  const { aadProfile, apiServerAccessProfile, powerState, fqdn, privateFqdn } = parsed.data;
  if (powerState?.code === 'Stopped')
    throw wrongInput(`the AKS cluster ${name} is stopped`, `start it: az aks start --name ${name} --resource-group …`);
  const isPrivate = apiServerAccessProfile?.enablePrivateCluster === true;
  return {
    name,
    entra: aadProfile?.managed === true,
    isPrivate,
    host: (isPrivate ? privateFqdn || fqdn : fqdn) || undefined,
    network: aksNetwork(parsed.data),
  };
}

/** An Entra kubeconfig asks for a device code unless kubelogin is asked to take the login of az. */
async function useAzureLogin({ environment, signal }: CliContext, file: string): Promise<void> {
  if (!readFileSync(file, 'utf8').includes('kubelogin')) return;
  const args = ['convert-kubeconfig', '--login', 'azurecli', '--kubeconfig', file];
  const result = await runProgram('kubelogin', args, { environment, signal });
  if (result.code === notInstalled)
    throw wrongInput('the cluster wants Entra tokens, and kubelogin is not on PATH', 'install it: az aks install-cli');
  if (result.code !== 0) throw failure(`kubelogin failed: ${lastLine(result)}`, 'run az login, then this again');
}

async function kubeconfigCluster({ api }: CliContext, aks: AksFacts | undefined): Promise<FoundCluster> {
  const place = await api.place();
  if ('kind' in place) throw clusterStop(place);
  // Cut to what a registration allows.
  return { name: aks?.name ?? place.name.slice(0, 63), server: place.server, caPem: place.caPem, aks };
}
