import * as z from 'zod';
import { appRules, servicesCredentialRules, servicesRules } from '../../../shared/core/access/roles.ts';
import type { PolicyRule } from '../../../shared/core/access/roles.ts';
import { defined } from '../../../shared/core/defined.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';

/** Who the app is toward a cluster, as RBAC names it. */
export interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

const claims = z.object({ sub: z.string().startsWith('system:serviceaccount:') });

/**
 * Of a registration: with Entra the object id of its identity; with a token whom the token's own claims name. Undefined
 * when neither is known. The token is only decoded, and no part of it but the name is kept.
 */
export function subjectOf(
  { auth }: Pick<ClusterRegistration, 'auth'>,
  known: { readonly principalId: string | undefined; readonly values: Readonly<Record<string, string>> },
): Subject | undefined {
  if (auth.kind === 'entra') {
    const { principalId } = known;
    return principalId === undefined ? undefined : { user: principalId, groups: ['system:authenticated'] };
  }
  const user = tokenSubject(known.values[auth.setting] ?? '');
  const [, , namespace] = user?.split(':') ?? [];
  if (user === undefined || namespace === undefined) return undefined;
  return { user, groups: accountGroups(namespace) };
}

const accountGroups = (namespace: string): readonly string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
  'system:authenticated',
];

/** What the account of ACI's kube-proxy is to read, one review for each right. */
export const servicesReviews = (namespace: string): readonly RightReview[] =>
  reviewsOf(servicesRules, {
    user: `system:serviceaccount:${namespace}:services`,
    groups: accountGroups(namespace),
  });

function tokenSubject(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    return claims.safeParse(JSON.parse(payload)).data?.sub;
  } catch {
    return undefined;
  }
}

/** One right that the chart gives the app, and the review that asks for it. */
export interface RightReview {
  readonly right: string;
  readonly review: object;
}

/** Every right of the app's roles (`shared/core/access`), one review each; `services`: where its pods reach Services. */
export const rightReviews = (
  {
    nodes,
    namespace,
    services,
  }: { readonly nodes: readonly string[]; readonly namespace: string; readonly services: boolean },
  subject: Subject,
): readonly RightReview[] => [
  ...reviewsOf(appRules(nodes), subject),
  ...(services ? reviewsOf(servicesCredentialRules, subject, namespace) : []),
];

/** Each right of some rules, one review each. */
function reviewsOf(
  rules: readonly PolicyRule[],
  { user, groups }: Subject,
  namespace?: string,
): readonly RightReview[] {
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          resourceNames.map((name) => ({
            right: name === undefined ? `${verb} ${resource}` : `${verb} ${resource} ${name}`,
            review: {
              apiVersion: 'authorization.k8s.io/v1',
              kind: 'SubjectAccessReview',
              spec: { user, groups, resourceAttributes: { verb, group, resource, ...defined({ name, namespace }) } },
            },
          })),
        ),
      ),
    ),
  );
}
