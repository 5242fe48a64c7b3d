import { setTimeout as sleep } from 'node:timers/promises';
import type { ServicesSecret } from '../../../shared/core/access/roles.ts';
import { rfc3339 } from '../../../shared/core/status/time.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { applyObject, deleteObject } from '../cluster/objects.ts';
import { formerAnnotation, servicesSecretPath } from '../cluster/names.ts';
import { planMarks } from '../cluster/services-credentials.ts';
import { createClusterReader } from '../inspect/cluster-reader.ts';
import { valueOf } from '../inspect/observed.ts';
import { readServicesSecrets } from '../inspect/services-secrets.ts';
import { Stop } from '../stop.ts';
import { reachPlan } from './plan.ts';
import type { AttachFacts } from './plan.ts';
import type { AttachWants } from './wants.ts';

interface ServicesWork {
  readonly wants: AttachWants;
  readonly facts: AttachFacts;
}

/**
 * Takes away the Secret that a rotation makes anew. Answers whether a Secret of the chart is missing in the cluster: helm
 * looks at its own records alone, and would find nothing to do. Idempotent.
 */
export async function areSecretsMissing(context: CliContext, { wants, facts }: ServicesWork): Promise<boolean> {
  const { kept, renewed } = reachPlan(wants, facts).credentials;
  if (renewed !== undefined) await deleteObject(context, servicesSecretPath(wants.namespace, renewed));
  return renewed !== undefined || kept.some((name) => !isThere(facts, name));
}

const isThere = ({ reach }: AttachFacts, name: ServicesSecret): boolean =>
  reach.secrets.some((secret) => secret.name === name);

/** Waits for the token that the registration is to name; answers what became of the Secrets, in a few words each. */
export async function provideCredential(context: CliContext, work: ServicesWork): Promise<readonly string[]> {
  const { wants, facts } = work;
  const { credential, kept, removed, renewed } = reachPlan(wants, facts).credentials;
  const isFilled = facts.reach.secrets.some(({ name, hasToken }) => name === credential && hasToken);
  if (credential !== undefined && (!isFilled || credential === renewed))
    await context.out.progress.step('token of Services', (report) =>
      waitForToken(context, { namespace: wants.namespace, name: credential }, report),
    );
  if (wants.chart === undefined) return [];
  return [
    ...kept.filter((name) => name === renewed || !isThere(facts, name)).map((name) => `Secret ${name} made`),
    ...removed.map((name) => `Secret ${name} removed`),
  ];
}

/**
 * Writes on each Secret that the registration names no more since when that is so: ten minutes later it may go. What could
 * not be written keeps the Secret, so it is a warning alone. Idempotent.
 */
export async function markFormer(context: CliContext, { wants, facts }: ServicesWork): Promise<void> {
  const registered = facts.registered.find(({ uid }) => uid === facts.cluster.uid)?.services?.credential;
  const marks = planMarks(reachPlan(wants, facts).credentials, facts.reach.secrets, registered);
  for (const { secret, isFormer } of marks) {
    const { name, uid } = secret;
    const annotations = isFormer ? { [formerAnnotation]: rfc3339(Date.now()) } : {};
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name, uid, annotations } };
    try {
      await applyObject(context, servicesSecretPath(wants.namespace, name), body);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      context.out.warn(
        `the Secret ${name} stays, as since when it is not in use could not be written: ${error.message}`,
      );
    }
  }
}

const patienceMs = 30_000;
const pollMs = 500;

async function waitForToken(
  context: CliContext,
  { namespace, name }: { readonly namespace: string; readonly name: ServicesSecret },
  report: (detail: string) => void,
): Promise<void> {
  const reader = createClusterReader(context.api, undefined);
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const secrets = valueOf(await readServicesSecrets(reader, namespace)) ?? [];
    if (secrets.some((secret) => secret.name === name && secret.hasToken)) return report(`in the Secret ${name}`);
    if (performance.now() > giveUpAt)
      throw new Stop(
        exitCodes.timedOut,
        `the Secret ${name} in ${namespace} has no token yet`,
        `kubectl get secret ${name} -n ${namespace} shows it; the cluster's controller manager fills it. Then the same command again, or --services off`,
      );
    await sleep(pollMs, undefined, { signal: context.signal });
  }
}
