import { readAgentTags } from '../../../../shared/core/agent/agent-tags.ts';
import { tagNames } from '../../../../shared/core/group/identity.ts';
import type { ListedGroup } from '../../../../shared/core/group/group.ts';
import type { RootKeys } from '../../../../shared/core/agent/key.ts';

/** What a registry says of a digest. */
export type InRegistry =
  | { readonly kind: 'there' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly why: string };

/** What was found out. */
export interface AgentFacts {
  readonly installation: string;
  /** Of the package that this program came with. */
  readonly packaged: { readonly version: string; readonly sha256: string; readonly imageDigest: string } | undefined;
  /** The app's settings. */
  readonly image: string | undefined;
  readonly download: 'auto' | 'always' | 'never';
  /** `vault`: they are in a key vault, which is not asked. */
  readonly keys: RootKeys | 'vault' | undefined;
  /** Of `image` and of what groups were made with, by digest. */
  readonly inRegistry: ReadonlyMap<string, InRegistry>;
  /** All groups of the resource group, or why they could not be listed. */
  readonly groups: readonly ListedGroup[] | { readonly why: string };
}

export interface AgentReport {
  readonly packaged: NonNullable<AgentFacts['packaged']> | null;
  readonly image: { readonly reference: string; readonly isPackaged: boolean; readonly registry: string } | null;
  readonly download: AgentFacts['download'];
  /** Names of roots; `groups`: how many were made with it. */
  readonly roots:
    | readonly { readonly kid: string; readonly isCurrent: boolean; readonly groups: number }[]
    | 'vault'
    | null;
  /** What groups were made with. */
  readonly groups: readonly { readonly digest: string; readonly groups: number; readonly registry: string }[] | null;
  /** What somebody should look at, and what to do. */
  readonly troubles: readonly { readonly problem: string; readonly fix: string }[];
}

/** Digests that groups of this installation were made with, and how many. */
export function digestsOf(groups: readonly ListedGroup[], installation: string): ReadonlyMap<string, number> {
  return counted(ownTags(groups, installation).map(({ digest }) => digest));
}

/** Names of roots that groups of this installation have their keys from, and how many. */
export function rootsOf(groups: readonly ListedGroup[], installation: string): ReadonlyMap<string, number> {
  return counted(ownTags(groups, installation).map(({ kid }) => kid));
}

const ownTags = (groups: readonly ListedGroup[], installation: string) =>
  groups
    .filter(({ tags }) => tags[tagNames.installation] === installation)
    .map(({ tags }) => readAgentTags(tags))
    .filter((tags) => tags !== undefined);

function counted(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Judges what was found out. Pure. */
export function agentReport(facts: AgentFacts): AgentReport {
  const { installation, packaged, image, download, keys, groups } = facts;
  const listed = 'why' in groups ? undefined : groups;
  const digests = listed && digestsOf(listed, installation);
  const used = (listed && rootsOf(listed, installation)) ?? new Map<string, number>();
  return {
    packaged: packaged ?? null,
    image:
      image === undefined
        ? null
        : {
            reference: image,
            isPackaged: digestIn(image) === packaged?.imageDigest,
            registry: registryText(facts, digestIn(image)),
          },
    download,
    roots: keys === undefined || keys === 'vault' ? (keys ?? null) : rootRows(keys, used),
    groups:
      digests === undefined
        ? null
        : [...digests].map(([digest, count]) => ({ digest, groups: count, registry: registryText(facts, digest) })),
    troubles: troublesOf(facts, digests ?? new Map<string, number>(), used),
  };
}

export const digestIn = (image: string): string => image.split('@', 2)[1] ?? '';

const rootRows = ({ current, roots }: RootKeys, used: ReadonlyMap<string, number>) =>
  Object.keys(roots).map((kid) => ({ kid, isCurrent: kid === current, groups: used.get(kid) ?? 0 }));

function registryText({ inRegistry }: AgentFacts, digest: string): string {
  const found = inRegistry.get(digest);
  return found === undefined ? '' : found.kind === 'unknown' ? found.why : found.kind;
}

function troublesOf(
  { image, packaged, keys, groups, inRegistry }: AgentFacts,
  digests: ReadonlyMap<string, number>,
  used: ReadonlyMap<string, number>,
): AgentReport['troubles'] {
  const isGone = (digest: string): boolean => inRegistry.get(digest)?.kind === 'gone';
  const own = image === undefined ? '' : digestIn(image);
  const lost = keys === undefined || keys === 'vault' ? [] : [...used].filter(([kid]) => keys.roots[kid] === undefined);
  return [
    ...(isGone(own)
      ? [
          {
            problem: `the registry has not what AGENT_IMAGE names: no pod that needs the agent can be started`,
            fix: 'agent publish',
          },
        ]
      : []),
    ...(image !== undefined && packaged !== undefined && own !== packaged.imageDigest
      ? [
          {
            problem: 'the app gives pods another agent than that of this package',
            fix: 'agent publish, after the app itself',
          },
        ]
      : []),
    ...(image !== undefined && keys === undefined
      ? [
          {
            problem: 'the app has an image of the agent and no root of keys',
            fix: 'agent publish, or agent rotate-key',
          },
        ]
      : []),
    ...[...digests]
      .filter(([digest]) => digest !== own && isGone(digest))
      .map(([digest, count]) => ({
        problem: `${count} groups were made with ${digest}, which the registry has no more: they can't be started again`,
        fix: 'replace their pods (kubectl rollout restart); keep images of the agent as long as groups name them',
      })),
    ...lost.map(([kid, count]) => ({
      problem: `${count} groups have keys of the root ${kid}, which the app has not: their reports are refused`,
      fix: 'put the root back into AGENT_ROOT_KEYS where it is known, else replace their pods',
    })),
    ...('why' in groups
      ? [
          {
            problem: `container groups could not be listed: ${groups.why}`,
            fix: 'az login; Reader at their resource group',
          },
        ]
      : []),
  ];
}
