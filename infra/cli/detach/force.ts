import { request } from 'node:https';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultClause } from '../inspect/fault-reason.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { AppSettings } from '../app-settings.ts';
import { clusterSource, findCluster } from '../cluster/find-cluster.ts';
import { readClusterIdentity } from '../inspect/read-cluster.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { changeRegistrations, readRegistrations } from '../registrations.ts';
import { Stop, failure, wrongInput } from '../stop.ts';
import { groupsOfCluster, withoutCluster } from './plan.ts';
import { outsideRemains } from './remains.ts';
import { reportRemains } from './report.ts';
import { clusterRows } from './rows.ts';
import { removeTokenSetting } from './token-setting.ts';
import type { DetachWants } from './wants.ts';
import { defined } from '../../../shared/core/defined.ts';

type ForceWants = DetachWants & { readonly force: { readonly uid: string; readonly yes: boolean } };

/**
 * For a cluster that was destroyed without being detached: deletes its container groups, its registration and its rows.
 * Refuses while anything says that the cluster is alive. Idempotent; asks before it deletes.
 */
export async function forceDetach(context: CliContext, wants: ForceWants, app: AppSettings): Promise<ExitCode> {
  const { progress } = context.out;
  const { uid, yes } = wants.force;
  const { clusters } = await readRegistrations(await context.registrations(), context.signal);
  const registration = clusters.find((cluster) => cluster.uid === uid);
  if (app.settings.CLUSTERS.some((cluster) => cluster.uid === uid))
    throw wrongInput("the cluster is in the app's setting CLUSTERS", 'take it out there first, then this again');
  await progress.step('is it gone?', () => refuseIfAlive(context, uid, registration));
  const groups = await listGroups(context, app, uid);
  const rows = clusterRows(app.settings, { uid });
  const { rows: rowCount } = await rows.count();
  reportFound(context, { registration, groups, rowCount });
  const isAnything = groups.length > 0 || registration !== undefined || rowCount > 0;
  if (isAnything && !yes) await confirm(context, uid);
  const changes: string[] = [];
  if (groups.length > 0) {
    await progress.step('container groups', (report) => deleteGroups(context, { wants, app, report }));
    changes.push(`${groups.length} container groups deleted`);
  }
  await removeTokenSetting(context, app, registration?.auth);
  if (await changeRegistrations(await context.registrations(), (all) => withoutCluster(all, uid), context.signal))
    changes.push('registration removed');
  if (rowCount > 0) {
    await rows.remove({ usage: wants.purgeUsage });
    changes.push('rows deleted');
  }
  const installation = app.settings.INSTALLATION;
  const remains = await outsideRemains(context, { installation, uid, nodes: [], whole: true, rows });
  return reportRemains(context, { changes, remains, usage: (await rows.count()).usage });
}

async function listGroups(context: CliContext, app: AppSettings, uid: string): Promise<readonly ListedGroup[]> {
  const listed = await (await context.groups()).list(context.signal);
  if (listed.ok) return groupsOfCluster(listed.value, { installation: app.settings.INSTALLATION, uid });
  throw failure(
    `container groups: ${faultClause(listed.fault)}`,
    'you need to read and delete container groups in the resource group of the pods; log in with az login',
  );
}

/**
 * Alive is a cluster that shows the UID to the kubeconfig given, and one whose registered API server still answers with
 * a certificate of the registered authority, which a rebuilt cluster does not have.
 */
async function refuseIfAlive(
  context: CliContext,
  uid: string,
  registration: ClusterRegistration | undefined,
): Promise<void> {
  const { options } = context;
  if (clusterSource(options).kind === 'aks' || options.text('kubeconfig') !== undefined) {
    const handle = await findCluster(context);
    try {
      if ((await readClusterIdentity(context)).uid === uid) throw alive(uid);
    } finally {
      handle.dispose();
    }
  }
  if (registration !== undefined && (await answers(registration))) throw alive(uid);
}

const alive = (uid: string): Stop =>
  wrongInput(`the cluster with the UID ${uid} is alive`, 'detach it without --force, with its --kubeconfig or --aks');

const answerMs = 10_000;

function answers({ server, certificateAuthority: ca }: ClusterRegistration): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(`${server}/version`, {
      ...defined({ ca }),
      timeout: answerMs,
      agent: false,
    });
    asked.once('response', (response) => {
      response.resume();
      resolve(true);
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
    asked.end();
  });
}

function reportFound(
  context: CliContext,
  found: {
    readonly registration: ClusterRegistration | undefined;
    readonly groups: readonly ListedGroup[];
    readonly rowCount: number;
  },
): void {
  const { registration, groups, rowCount } = found;
  context.out.note(registration === undefined ? 'no registration' : `registration ${registration.name}`);
  for (const { name, provisioningState, cpu } of groups)
    context.out.note(`container group ${name}  ${provisioningState}  ${cpu} vCPU`);
  context.out.note(`${groups.length} container groups, ${rowCount} rows`);
}

/** Only somebody at a terminal can be asked. */
async function confirm(context: CliContext, uid: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw wrongInput('deleting all this needs a confirmation, and nobody is there to give it', 'add --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Delete all this of the cluster ${uid}? Type yes: `, {
      signal: context.signal,
    });
    if (answer.trim() !== 'yes') throw wrongInput('not confirmed; nothing was changed');
  } finally {
    terminal.close();
  }
}

const pollMs = 3000;

/** Deletes the groups and waits until ARM lists none; one that is in transition is tried again. */
async function deleteGroups(
  context: CliContext,
  {
    wants,
    app,
    report,
  }: { readonly wants: ForceWants; readonly app: AppSettings; readonly report: (detail: string) => void },
): Promise<void> {
  const groups = await context.groups();
  const giveUpAt = performance.now() + wants.timeoutMs;
  for (;;) {
    const left = await listGroups(context, app, wants.force.uid);
    report(`${left.length} left`);
    if (left.length === 0) return;
    if (performance.now() > giveUpAt)
      throw new Stop(
        exitCodes.timedOut,
        `time is up, and ${left.length} container groups are left`,
        'run the same command again',
      );
    for (const { name } of left) {
      const deleted = await groups.delete(name, context.signal);
      if (!deleted.ok && deleted.fault.kind === 'denied')
        throw failure(
          `container group ${name}: ${faultClause(deleted.fault)}`,
          'you need to delete container groups there',
        );
    }
    await sleep(pollMs, undefined, { signal: context.signal });
  }
}
