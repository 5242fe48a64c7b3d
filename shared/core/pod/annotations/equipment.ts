import { defined } from '../../defined.ts';
import type { GroupBody, GroupLogAnalytics } from '../../group/group.ts';
import type { Pod } from '../../kubernetes/pod.ts';
import { own } from '../own.ts';
import type { NodeFacts } from '../translation.ts';
import { isConfidential } from './placed.ts';
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
): Equipment {
  const { ccePolicy } = wishes;
  const logAnalytics = groupLogAnalytics(pod, facts, wishes.workspace ?? 'default');
  return {
    ...groupIdentity([
      ...wishes.identities,
      ...pulling,
      ...(wishes.keyIdentity === undefined ? [] : [wishes.keyIdentity]),
    ]),
    ...(wishes.priority === 'Spot' && { priority: 'Spot' }),
    ...(isConfidential(wishes) && { sku: 'Confidential' }),
    ...(ccePolicy !== undefined && { confidentialComputeProperties: { ccePolicy } }),
    ...groupEncryption(wishes),
    ...(logAnalytics && { diagnostics: { logAnalytics } }),
  };
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

function groupLogAnalytics(
  { metadata }: Pod,
  { workspaces = {}, node }: Pick<NodeFacts, 'workspaces' | 'node'>,
  name: string,
): GroupLogAnalytics | undefined {
  const workspace = own(workspaces, name);
  if (workspace === undefined) return undefined;
  const isInsights = workspace.logType === 'ContainerInsights';
  return { ...workspace, ...(isInsights && { metadata: { 'pod-uuid': metadata.uid, 'node-name': node } }) };
}
