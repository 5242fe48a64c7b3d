import { defined } from '../../defined.ts';
import type { GroupBody, GroupLogAnalytics } from '../../group/group.ts';
import type { Pod } from '../../kubernetes/pod.ts';
import { configError, ok } from '../evaluation.ts';
import type { Evaluation } from '../evaluation.ts';
import { own } from '../own.ts';
import type { NodeFacts } from '../translation.ts';
import { isConfidential, isSpot } from './placed.ts';
import type { GroupWishes } from './wishes.ts';

export type Equipment = Pick<
  GroupBody,
  'identity' | 'priority' | 'sku' | 'confidentialComputeProperties' | 'encryptionProperties' | 'diagnostics'
>;

/**
 * What of a group's body annotations and settings alone decide. `pulling`: identities that pull its images, which its
 * containers can use as well: ACI knows no others.
 */
export function groupEquipment(
  pod: Pod,
  facts: Pick<NodeFacts, 'workspaces' | 'node'>,
  { wishes, pulling }: { readonly wishes: GroupWishes; readonly pulling: readonly string[] },
): Evaluation<Equipment> {
  const { ccePolicy } = wishes;
  const logs = groupLogAnalytics(pod, facts, wishes.workspace ?? 'default');
  if (logs.kind !== 'ok') return logs;
  const ofKey = wishes.keyIdentity === undefined ? [] : [wishes.keyIdentity];
  return ok({
    ...groupIdentity([...wishes.identities, ...pulling, ...ofKey]),
    ...(isSpot(wishes) && { priority: 'Spot' }),
    ...(isConfidential(wishes) && { sku: 'Confidential' }),
    ...(ccePolicy !== undefined && { confidentialComputeProperties: { ccePolicy } }),
    ...groupEncryption(wishes),
    ...(logs.value && { diagnostics: { logAnalytics: logs.value } }),
  });
}

/** ARM takes an id once, however it is written. */
function groupIdentity(ids: readonly string[]): Pick<GroupBody, 'identity'> {
  if (ids.length === 0) return {};
  const once = [...new Map(ids.toReversed().map((id) => [id.toLowerCase(), id])).values()].sort();
  return { identity: { type: 'UserAssigned', userAssignedIdentities: Object.fromEntries(once.map((id) => [id, {}])) } };
}

function groupEncryption({
  vaultBaseUrl,
  keyName,
  keyVersion,
  keyIdentity,
}: GroupWishes): Pick<GroupBody, 'encryptionProperties'> {
  if (vaultBaseUrl === undefined || keyName === undefined || keyVersion === undefined) return {};
  return { encryptionProperties: { vaultBaseUrl, keyName, keyVersion, ...defined({ identity: keyIdentity }) } };
}

/** A group without the logs that are wanted would be made for good, so a key that is missing is waited for. */
function groupLogAnalytics(
  { metadata }: Pod,
  { workspaces = {}, node }: Pick<NodeFacts, 'workspaces' | 'node'>,
  name: string,
): Evaluation<GroupLogAnalytics | undefined> {
  const workspace = own(workspaces, name);
  if (workspace === undefined) return ok(undefined);
  const { workspaceKey } = workspace;
  if (workspaceKey === undefined)
    return configError(
      `the app has no key of the workspace ${name}: the setting that keySetting names in LOG_ANALYTICS_WORKSPACES is not there, or its Key Vault reference is not resolved`,
    );
  const isInsights = workspace.logType === 'ContainerInsights';
  const metadataOfPod = { 'pod-uuid': metadata.uid, 'node-name': node };
  return ok({ ...workspace, workspaceKey, ...(isInsights && { metadata: metadataOfPod }) });
}
