/** Resource ids of ARM that people write into settings and annotations. */

/** As ARM names resources; nothing that folds to another letter. */
const segment = '[-\\w.()]{1,128}';
const inGroup = `^/subscriptions/${segment}/resourceGroups/${segment}/providers/`;
const subnet = new RegExp(`${inGroup}Microsoft\\.Network/virtualNetworks/${segment}/subnets/${segment}$`, 'i');
const identity = new RegExp(`${inGroup}Microsoft\\.ManagedIdentity/userAssignedIdentities/${segment}$`, 'i');

export const isSubnetId = (text: string): boolean => subnet.test(text);
export const isIdentityId = (text: string): boolean => identity.test(text);

export const subnetIdExample =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/prod/subnets/pods';
export const identityIdExample =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/team-a/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reports';

/** Whether two ids of Azure, of resources or of clients, are the same: their case does not count. */
export const isSameId = (left: string | undefined, right: string | undefined): boolean =>
  left !== undefined && left.toLowerCase() === right?.toLowerCase();

/** The last part of a resource id: the name by which people know what it is of. */
export const resourceName = (id: string): string => id.split('/').at(-1) ?? id;

/** The subscription of a resource id; '' of what is none. */
export const subscriptionOf = (id: string): string => id.split('/')[2] ?? '';
