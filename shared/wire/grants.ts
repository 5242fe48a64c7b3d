import * as z from 'zod';
import { defined } from '../core/defined.ts';
import { isWorkspaceName } from '../core/pod/grant.ts';
import type { PodGrant } from '../core/pod/grant.ts';
import { isIdentityId, isSubnetId } from '../core/resource-id.ts';

const kubernetesName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const named = (isGood: (text: string) => boolean, what: string) =>
  z.array(z.string(what).refine(isGood, what), `a list: ${what}`).default([]);

/** What pods may name in annotations, each entry for a namespace. */
export const podGrants = z.array(
  z
    .strictObject({
      namespace: z
        .string('a namespace, or "*"')
        .refine((text) => text === '*' || kubernetesName.test(text), 'a namespace, or "*"'),
      serviceAccount: z
        .string('the name of a ServiceAccount')
        .regex(kubernetesName, 'the name of a ServiceAccount')
        .optional(),
      identities: named(isIdentityId, 'resource ids of user-assigned identities'),
      subnets: named((text) => text === 'none' || isSubnetId(text), 'resource ids of subnets, or "none"'),
      logAnalytics: named(isWorkspaceName, 'names of LOG_ANALYTICS_WORKSPACES, or "none"'),
      publicAddress: z.boolean('true or false').default(false),
    })
    .transform(({ serviceAccount, ...grant }): PodGrant => ({ ...grant, ...defined({ serviceAccount }) })),
  'a list of grants',
);

/** A file of grants. */
export const grantsFile = z.strictObject({ grants: podGrants }, 'a list of grants');
