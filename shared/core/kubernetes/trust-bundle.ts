/** Which ClusterTrustBundles (certificates.k8s.io) a projected volume asks for, and the file that a kubelet makes of them. */

import { isBase64 } from '../base64.ts';

export interface LabelSelector {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

/** One by its name, or those of a signer that have the labels (in the syntax of a query; empty: all). */
export type TrustBundleSelector =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'signer'; readonly signerName: string; readonly labels: string };

/** The same for all that select the same. */
export const selectorKey = (selector: TrustBundleSelector): string =>
  selector.kind === 'name' ? selector.name : `${selector.signerName} ${selector.labels}`;

/** No set of labels has an operator that the API does not have. */
function requirement({ key, operator, values }: LabelSelector['matchExpressions'][number]): string | undefined {
  switch (operator) {
    case 'In':
      return `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return undefined;
  }
}

/** In the syntax of a query; undefined: it matches nothing, as a selector that is absent does. */
export function labelQuery(selector: LabelSelector | undefined): string | undefined {
  if (selector === undefined) return undefined;
  const parts = [
    ...Object.entries(selector.matchLabels).map(([name, value]) => `${name}=${value}`),
    ...selector.matchExpressions.map(requirement),
  ];
  return parts.includes(undefined) ? undefined : parts.join(',');
}

const begin = '-----BEGIN CERTIFICATE-----';
const end = '-----END CERTIFICATE-----';

/**
 * The base64 of each certificate, as Go reads PEM (encoding/pem, Decode), by which the API server has checked the bundle:
 * all that is no block on lines of its own is a comment, also what only looks like one.
 */
function certificatesOf(bundle: string): readonly string[] {
  const found: string[] = [];
  let block: string[] | undefined;
  for (const text of bundle.split('\n')) {
    const line = text.trimEnd();
    if (line === begin) block = [];
    else if (line !== end) block?.push(line);
    else if (block !== undefined) {
      const base64 = block.join('').replaceAll(/\s/g, '');
      if (isBase64(base64)) found.push(base64);
      block = undefined;
    }
  }
  return found;
}

/** All certificates of the bundles, each once. A kubelet's order is arbitrary; here it is always the same. */
export function trustAnchors(bundles: readonly string[]): string {
  const certificates = [...new Set(bundles.flatMap(certificatesOf))].toSorted();
  return certificates.map((base64) => `${begin}\n${base64.replaceAll(/.{1,64}/g, '$&\n')}${end}\n`).join('');
}
