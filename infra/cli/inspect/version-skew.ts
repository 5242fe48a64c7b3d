import packageJson from '../../../package.json' with { type: 'json' };
import { ourVersionIn, ownerAnnotation } from '../../../shared/core/node/node-spec.ts';
import { parseListPage } from '../../../shared/wire/kubernetes/meta.ts';
import { parseNode } from '../../../shared/wire/kubernetes/node.ts';
import { getObject } from '../cluster/objects.ts';
import type { CliContext } from '../context.ts';
import { Stop, wrongInput } from '../stop.ts';
import { chartVersion } from './cluster-judgements.ts';
import { parseDeployment } from './relay-objects.ts';

/** Versions of what runs, as far as a cluster says; the app's is in the version that its Nodes report. */
export interface RunningVersions {
  readonly chart: string | undefined;
  /** Of each Node of the installation. */
  readonly apps: readonly string[];
}

/** Why a program of one release may not change what another one made, and what to do. */
export interface Skew {
  readonly problem: string;
  readonly fix: string;
}

/**
 * Program, chart and app go together when MAJOR.MINOR is the same. The app goes first, then the program, which upgrades
 * the chart: so only a chart may be older. An older program would take back what a newer one made, and drop from the
 * registrations what it does not know.
 */
export function findSkew(program: string, { chart, apps }: RunningVersions): Skew | undefined {
  const ofChart = chart === undefined ? [] : [{ what: 'the chart in the cluster', version: chart }];
  const ofApps = apps.map((version) => ({ what: 'the app', version }));
  const newest = [...ofChart, ...ofApps].find(({ version }) => order(version, program) > 0);
  if (newest !== undefined)
    return {
      problem: `${newest.what} is of release ${newest.version}, and this program of ${program}, which is older`,
      fix: `use the program of release ${newest.version}`,
    };
  const oldApp = apps.find((version) => order(version, program) < 0);
  if (oldApp === undefined) return undefined;
  return {
    problem: `the app is of release ${oldApp}, and this program of ${program}, which is newer`,
    fix: `publish the app of release ${program} first (docs/deploy.md, Upgrade; its Nodes report it within a minute), or use the program of release ${oldApp}`,
  };
}

/** By MAJOR.MINOR; what is no version is like any other. */
function order(left: string, right: string): number {
  const [one, other] = [left, right].map((text) => /^(\d+)\.(\d+)\./.exec(text)?.slice(1).map(Number));
  if (one === undefined || other === undefined) return 0;
  return (one[0] ?? 0) - (other[0] ?? 0) || (one[1] ?? 0) - (other[1] ?? 0);
}

export interface SkewWants {
  readonly installation: string;
  readonly namespace: string;
}

/** Refuses to go on where {@link findSkew} says so. Nothing is read that another release may have written in another form. */
export async function refuseSkew(context: Pick<CliContext, 'api'>, wants: SkewWants): Promise<void> {
  const skew = findSkew(packageJson.version, await readVersions(context, wants));
  if (skew !== undefined) throw wrongInput(skew.problem, skew.fix);
}

/** Whoever may not read them is reported so by what they are needed for. */
async function readVersions(context: Pick<CliContext, 'api'>, wants: SkewWants): Promise<RunningVersions> {
  const [deployment, nodes] = await Promise.all(
    [`/apis/apps/v1/namespaces/${wants.namespace}/deployments/relay`, '/api/v1/nodes'].map((path) =>
      getObject(context, path).catch((error: unknown) => {
        if (error instanceof Stop) return undefined;
        throw error;
      }),
    ),
  );
  // A Node that cannot be read is none of ours.
  const found = parseListPage(nodes, 'NodeList', (item) => parseNode(item) ?? 'other')?.items ?? [];
  return {
    chart: chartVersion(parseDeployment(deployment)),
    apps: found.flatMap((node) =>
      node !== 'other' && node.metadata.annotations[ownerAnnotation] === wants.installation
        ? (ourVersionIn(node.status.nodeInfo['kubeletVersion'] ?? '') ?? [])
        : [],
    ),
  };
}
