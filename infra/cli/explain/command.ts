import type { Command } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { priceOptions, pricesOf } from '../inspect/prices.ts';
import { wrongInput } from '../stop.ts';
import type { Stop } from '../stop.ts';
import { readDocuments } from './documents.ts';
import { assumedFacts, factOptions } from './facts.ts';
import { foundProbes } from './found-probes.ts';
import type { NamedApp } from './facts.ts';
import { findPods } from './find-pods.ts';
import { knownImages } from './images.ts';
import { readInputs } from './input.ts';
import { printExplanation } from './print.ts';
import { explainReport } from './report.ts';
import { placeText } from './source.ts';
import type { InputFault } from './source.ts';

const help = `
Says what becomes of the pods of a manifest before anything is applied: whether they run, what is rounded, noted or
emulated, what is refused and what to do about it, what a pod gets and what an hour of it costs. The rules are those
of the app. No cluster is asked and nothing is changed: helm template … | kubectl aci explain -f -

The input is YAML or JSON, of several documents and lists; of a folder its .yaml, .yml and .json files. Of Pod,
Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job and CronJob one pod is checked; other
objects are counted. ConfigMaps that are in the input are used, everything else that a pod refers to is shown as
<what it would be>; the content of a Secret never. No registry is asked: an image that --images does not name is taken
to have the entrypoint, user and directory that the pod counts on.

The agent, a program of ours inside the group, is taken to be published (kubectl aci agent publish); --no-agent says
otherwise. With --app what probe has found where that app's groups are is taken into account. T1 is a pod whose containers it prepares, T2 one beside whose programs it stays, each with the first field
that wants it. It ends with 0 if all pods run, with 1 if one is refused, with 2 if the input is wrong.

--output json|yaml has {schemaVersion, assumed, prices, pods[] {source {file, line, column}, kind, namespace, name,
replicas, verdict, tier, tierReason, refused[] {reason, field, why, agent, wayOut}, noted[] {reason, message}, emulated[] {field,
how}, containers[] {name, isInit, image, asked, granted, rounded}, cpu, memoryInGB, pricePerHour, group}, total {pods,
cpu, memoryInGB, pricePerHour}, counts {runs, noted, refused}, skipped[] {kind, count}}; docs/explain.md has more.
`;

export const explainCommand: Command = {
  help,
  options: {
    filename: {
      type: 'string',
      short: 'f',
      multiple: true,
      value: 'FILE',
      description: 'a manifest or a folder of them, - for the standard input',
    },
    namespace: {
      type: 'string',
      short: 'n',
      value: 'NAME',
      description: 'of objects that name none (default default)',
    },
    group: { type: 'boolean', description: 'the container group of each pod too, as the JSON that ARM would get' },
    images: {
      type: 'string',
      value: 'FILE',
      description:
        'what images say, as JSON: {"IMAGE": {"entrypoint": [], "cmd": [], "user": "1000", "workingDir": "/"}}',
    },
    ...factOptions,
    ...priceOptions,
  },
  run: explain,
};

async function explain(context: CliContext): Promise<ExitCode> {
  const { options, out } = context;
  const files = options.values('filename');
  if (files.length === 0) throw wrongInput('--filename is missing', 'add -f FILE, or -f - for the standard input');
  const prices = pricesOf(options);
  const isAppNamed = options.text('settings') !== undefined || options.text('app') !== undefined;
  const namedApp: NamedApp = async () => (isAppNamed ? context.settings() : undefined);
  const probed = options.text('app') === undefined ? undefined : await foundProbes(context);
  const facts = { ...(await assumedFacts(options, namedApp)), ...(probed && { probes: probed }) };
  const images = await knownImages(options, namedApp);
  const inputs = await readInputs(files, context.stdin);
  const read = inputs.map(({ file, text }) => readDocuments(file, text));
  const documents = read.flatMap((one) => one.documents);
  const found = findPods(documents, options.text('namespace') ?? 'default');
  const faults = [...read.flatMap((one) => one.faults), ...found.faults];
  if (faults.length > 0) throw badInput(faults);
  if (documents.length === 0)
    throw wrongInput(
      `there is nothing in ${inputs.map(({ file }) => file).join(', ')}`,
      'expected YAML or JSON of Kubernetes objects',
    );
  const report = explainReport(found, {
    facts,
    ...(probed && { probed }),
    prices,
    images,
    withGroup: options.flag('group'),
  });
  if (!out.value(report)) printExplanation(out, report);
  return report.counts.refused > 0 ? exitCodes.failed : exitCodes.done;
}

const mostReported = 10;

function badInput(faults: readonly InputFault[]): Stop {
  const lines = faults.slice(0, mostReported).map(({ at, problem }) => `${placeText(at)}: ${problem}`);
  const more = faults.length > mostReported ? [`and ${faults.length - mostReported} more`] : [];
  return wrongInput([`the input is wrong`, ...lines, ...more].join('\n  '), 'nothing is judged until it can be read');
}
