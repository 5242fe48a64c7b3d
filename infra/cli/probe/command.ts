import { assumptions } from '../../../shared/core/agent/assumptions.ts';
import type { Assumption, Finding } from '../../../shared/core/agent/assumptions.ts';
import { imageNameFault } from '../../../shared/core/pod/image-name.ts';
import { isSubnetId } from '../../../shared/core/resource-id.ts';
import type { ProbeRecord } from '../../../shared/wire/probe-record.ts';
import type { Settings } from '../../../shared/wire/settings.ts';
import { azAppArgs } from '../app-settings.ts';
import type { AppSettings } from '../app-settings.ts';
import type { Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { parseDuration } from '../options.ts';
import type { OptionSpecs, ParsedOptions } from '../options.ts';
import { failure, wrongInput } from '../stop.ts';
import * as z from 'zod';
import type { ProbeWants } from './group-body.ts';
import { judgeProbe } from './judge.ts';
import { recordProbe } from './record.ts';
import { runProbe } from './run-probe.ts';

const help = `
Measures what this installation relies on of Container Instances and nobody has documented: starts one small container
group where its pods run (the app's region and subnet), reads what its containers find, stops it, and deletes it, whatever
came of it. It takes some minutes and the price of a core and a gigabyte for them. What was found is kept beside the
registrations; what could not be measured is said to be so. docs/assumptions.md has what follows from each.

  probe --app kubelet --resource-group aci-pods
  probe --app kubelet --resource-group aci-pods --subnet none
`;

const options: OptionSpecs = {
  subnet: {
    type: 'string',
    value: 'ID|none',
    description: "where the group is (default: the app's ACI_SUBNET_ID, where it has one)",
  },
  image: { type: 'string', value: 'IMAGE', description: 'a busybox (default: AGENT_DOWNLOAD_IMAGE)' },
  name: { type: 'string', value: 'HOST', description: 'a name that is to resolve (default mcr.microsoft.com)' },
  'app-url': { type: 'string', value: 'URL', description: 'where groups reach the app (default: its https host name)' },
  timeout: { type: 'string', value: 'TIME', description: 'how long to wait for what it says (default 8m)' },
};

const pollMs = 3000;

export const probeCommand: Command = {
  help,
  options,
  run: async (context) => {
    const timeoutMs = parseDuration('timeout', context.options.text('timeout') ?? '8m');
    const app = await context.out.progress.step('settings of the app', () => context.app());
    const wants = await wantsOf(context, app);
    const groups = await context.groups();
    const outcome = await runProbe(wants, { groups, out: context.out, signal: context.signal, timeoutMs, pollMs });
    if (outcome.kind === 'refused')
      throw failure(`ARM did not take the probe's container group: ${outcome.why}`, 'doctor says what may be missing');
    if (outcome.kind === 'stuck')
      throw failure(
        `the probe's containers said nothing in their time: ${outcome.why}`,
        'give --image where that one can not be pulled, a longer --timeout where it is slow',
      );
    const record: ProbeRecord = {
      region: wants.location,
      subnet: wants.subnetId ?? null,
      sku: 'Standard',
      at: new Date().toISOString(),
      findings: judgeProbe(outcome.seen),
    };
    const notKept = await keep(context, record);
    return report(context, record, { isWhole: outcome.isWhole, notKept });
  },
};

async function wantsOf(context: CliContext, app: AppSettings): Promise<ProbeWants> {
  const { settings } = app;
  const image = context.options.text('image') ?? settings.AGENT_DOWNLOAD_IMAGE;
  if (imageNameFault(image) !== undefined) throw wrongInput(`--image: "${image}" is no name of an image`);
  const appUrl = context.options.text('app-url') ?? settings.APP_URL ?? (await appUrlOf(context, app));
  return {
    installation: settings.INSTALLATION,
    location: settings.AZURE_LOCATION,
    subnetId: parseSubnet(context.options, settings),
    image,
    // Nobody has an agent of that hash: to be answered is enough.
    appUrl: appUrl === undefined ? undefined : `${appUrl}/api/agent/${'0'.repeat(64)}`,
    name: context.options.text('name') ?? 'mcr.microsoft.com',
  };
}

function parseSubnet(given: ParsedOptions, { ACI_SUBNET_ID: own }: Settings): string | undefined {
  const subnet = given.text('subnet') ?? own;
  if (subnet === undefined || subnet === 'none') return undefined;
  if (isSubnetId(subnet)) return subnet;
  throw wrongInput(
    `--subnet wants the resource id of a subnet, or none, not "${subnet}"`,
    'az network vnet subnet show --query id',
  );
}

const site = z.object({ defaultHostName: z.string().nullish() });

/** The settings of a file say nothing of it. */
async function appUrlOf({ az }: CliContext, { source }: AppSettings): Promise<string | undefined> {
  if (source.kind === 'file') return undefined;
  const shown = site.safeParse(await az.json(['functionapp', 'show', ...azAppArgs(source)]));
  const host = shown.data?.defaultHostName;
  return host === undefined || host === null ? undefined : `https://${host}`;
}

/** Why it was not kept; undefined: it was. */
async function keep(context: CliContext, record: ProbeRecord): Promise<string | undefined> {
  const records = await context.probeRecords();
  return records === undefined ? 'the app has no REGISTRATIONS_URL' : recordProbe(records, record, context.signal);
}

const order = { fails: 0, unmeasured: 1, holds: 2 } as const;

function report(
  { out }: CliContext,
  record: ProbeRecord,
  { isWhole, notKept }: { readonly isWhole: boolean; readonly notKept: string | undefined },
): ExitCode {
  if (!isWhole) out.warn('time was up before the containers had said all: what is missing counts as unmeasured');
  if (notKept !== undefined) out.warn(`what was found is not kept: ${notKept}`);
  const code = record.findings.some(({ outcome }) => outcome === 'fails') ? exitCodes.attention : exitCodes.done;
  if (out.value({ ...record, kept: notKept === undefined })) return code;
  const sorted = record.findings.toSorted((left, right) => order[left.outcome] - order[right.outcome]);
  out.table(
    ['ASSUMPTION', 'OUTCOME', 'SEEN'],
    sorted.map((one) => [one.id, out.paint(colours[one.outcome], one.outcome), one.detail]),
  );
  for (const { id } of sorted.filter(({ outcome }) => outcome === 'fails')) {
    const row = assumptions.find((one) => one.id === id);
    if (row !== undefined) out.line(`${id}: it is not so that ${row.sentence}${followsText(row)}`);
  }
  return code;
}

const followsText = ({ refused, without }: Assumption): string =>
  [
    ...(refused.length === 0 ? [] : [`; refused: ${refused.join(', ')}`]),
    ...(without.length === 0 ? [] : [`; as without the agent: ${without.join(', ')}`]),
  ].join('');

const colours: Readonly<Record<Finding['outcome'], 'green' | 'yellow' | 'red'>> = {
  holds: 'green',
  unmeasured: 'yellow',
  fails: 'red',
};
