import { extensionOf, kubeProxyOf } from './extensions.ts';
import { content } from './rule.ts';
import type { Rule } from './rule.ts';

/** Those that virtual nodes have been seen to ask for. */
const known: readonly string[] = ['kube-proxy', 'realtime-metrics'];

const place: Rule = ({ body }) => {
  const { extensions = [], subnetIds = [], osType } = body.properties;
  if (extensions.length === 0 || (subnetIds.length > 0 && osType === 'Linux')) return undefined;
  return content("The 'extensions' of a container group are supported only for 'Linux' in a virtual network.");
};

const members: Rule = ({ body }) => {
  const { extensions = [] } = body.properties;
  for (const { name, properties: p } of extensions) {
    if (name === undefined || name === '') return content("The 'name' of an extension cannot be empty.");
    if (p?.extensionType === undefined) return content(`The 'extensionType' of the extension '${name}' is missing.`);
    if (p.version === undefined) return content(`The 'version' of the extension '${name}' is missing.`);
    if (!known.includes(p.extensionType))
      return content(`The extension type '${p.extensionType}' of the extension '${name}' is not supported.`);
  }
  const types = extensions.map((extension) => extension.properties?.extensionType);
  return new Set(types).size === types.length ? undefined : content('An extension type is used more than once.');
};

const kubeProxy: Rule = ({ body }) => {
  const wanted = extensionOf(body, 'kube-proxy');
  if (wanted === undefined || kubeProxyOf(body) !== undefined) return undefined;
  return content(
    `The 'protectedSettings' of the extension '${wanted.name}' must have a 'kubeConfig', a kubeconfig in base64.`,
  );
};

/**
 * What a body asks the platform to run beside its containers. No refusal of an extension is recorded anywhere: codes and
 * texts are inferred.
 */
export const extensionRules: readonly Rule[] = [place, members, kubeProxy];
