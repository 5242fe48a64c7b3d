import * as z from 'zod';
import { list } from './meta.ts';

const group = z.object({ name: z.string(), versions: list(z.object({ version: z.string() })) });
const groups = z.object({ kind: z.literal('APIGroupList'), groups: list(group) });
const resources = z.object({ kind: z.literal('APIResourceList'), resources: list(z.object({ name: z.string() })) });
const bundle = z.object({
  metadata: z.object({ name: z.string().min(1) }),
  spec: z.object({ trustBundle: z.string() }),
});

/** The versions of a group in an APIGroupList; none where it is not served. */
export const parseVersions = (json: unknown, name: string): readonly string[] | undefined =>
  groups
    .safeParse(json)
    .data?.groups.filter((one) => one.name === name)
    .flatMap(({ versions }) => versions.map(({ version }) => version));

/** The names in an APIResourceList. */
export const parseResourceNames = (json: unknown): readonly string[] | undefined =>
  resources.safeParse(json).data?.resources.map(({ name }) => name);

/** `certificates.k8s.io` ClusterTrustBundle of any version: its PEM. */
export const parseTrustBundle = (json: unknown): string | undefined => bundle.safeParse(json).data?.spec.trustBundle;
