import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { isAcr } from '../core/image/registry-endpoint.ts';
import { isWorkspaceName } from '../core/pod/grant.ts';
import { isIdentityId } from '../core/resource-id.ts';
import { jsonSetting } from './json-setting.ts';

const pullIdentityShape = 'the resource id of a user-assigned identity that has AcrPull there';

/** Which identity pulls the images of a registry of Azure: `{"prodimages.azurecr.io": "/subscriptions/…"}`. */
export const pullIdentities = jsonSetting(
  z
    .record(
      z.string(),
      z.string(pullIdentityShape).refine(isIdentityId, pullIdentityShape),
      'a JSON object of registries and identities',
    )
    .refine(
      (identities) => Object.keys(identities).every(isAcr),
      'login servers of Azure Container Registry only, such as prodimages.azurecr.io',
    ),
).default({});

/** A workspace as the settings have it: its key is a setting of its own, so that it can be a Key Vault reference. */
export interface WorkspaceSetting {
  readonly workspaceId: string;
  readonly keySetting: string;
  readonly logType?: 'ContainerInsights' | 'ContainerInstanceLogs';
}

const workspace = z
  .strictObject({
    workspaceId: z.guid('the GUID of a Log Analytics workspace'),
    keySetting: z.string('the name of the setting that holds its key').min(1, 'the name of a setting'),
    logType: z
      .enum(['ContainerInsights', 'ContainerInstanceLogs'], '"ContainerInsights" or "ContainerInstanceLogs"')
      .optional(),
  })
  .transform(({ logType, ...rest }): WorkspaceSetting => ({ ...rest, ...defined({ logType }) }));

/** Where pods may send their logs, by the names that annotations use; the logs of a pod that names none go to `default`. */
export const logAnalyticsWorkspaces = jsonSetting(
  z
    .record(z.string(), workspace, 'a JSON object of names and workspaces')
    .refine(
      (named) => Object.keys(named).every((name) => isWorkspaceName(name) && name !== 'none'),
      'names of 1 to 63 letters, digits, "_", "-" and ".", and not "none", which is no workspace',
    ),
).default({});
