import type { ServicesSecret } from '../../../shared/core/access/roles.ts';

/** Names of what `attach` makes besides the chart, and `detach` takes away. */

/** The app's setting that holds the token of a cluster that is attached with `--auth token`, where nobody names another. */
export const tokenSettingOf = (uid: string): string => `CLUSTER_TOKEN_${uid.slice(0, 8).toUpperCase()}`;

/** The Secret that `attach --serving csr` fills with the certificate of the kubelet ports. */
export const servingSecretName = 'relay-serving-csr';

export const servingSecretPath = (namespace: string): string =>
  `/api/v1/namespaces/${namespace}/secrets/${servingSecretName}`;

export const certificateRequestsPath = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/** The certificate request of `attach --serving csr`, made in the name of a node. */
export const certificateRequestName = (namespace: string, node: string): string =>
  `serverless-kubelet-${namespace}-${node}`;

export const certificateRequestPath = (name: string): string => `${certificateRequestsPath}/${name}`;

/** On such a Secret, as RFC 3339: the last time at which `attach` took it out of the registration, or found that it is not in it. */
export const formerAnnotation = 'serverless-kubelet.io/former-since';

/** A Secret with the token of the account `services`. */
export const servicesSecretPath = (namespace: string, name: ServicesSecret): string =>
  `/api/v1/namespaces/${namespace}/secrets/${name}`;
