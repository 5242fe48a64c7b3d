/** Field numbers of the kinds that kubectl sends as protobuf (`generated.proto` of k8s.io/api and apimachinery). */

export interface Field {
  /** As in JSON. */
  readonly name: string;
  readonly type: 'string' | 'base64' | 'int' | 'bool' | 'intOrString' | Message;
  readonly kind?: 'list' | 'map';
}

export interface Message {
  readonly [number: number]: Field;
}

const text = (name: string): Field => ({ name, type: 'string' });
const int = (name: string): Field => ({ name, type: 'int' });
const bool = (name: string): Field => ({ name, type: 'bool' });
const texts = (name: string): Field => ({ name, type: 'string', kind: 'list' });
const textMap = (name: string): Field => ({ name, type: 'string', kind: 'map' });
const byteMap = (name: string): Field => ({ name, type: 'base64', kind: 'map' });
const part = (name: string, type: Message): Field => ({ name, type });
const parts = (name: string, type: Message): Field => ({ name, type, kind: 'list' });

const owner: Message = {
  1: text('kind'),
  3: text('name'),
  4: text('uid'),
  5: text('apiVersion'),
  6: bool('controller'),
  7: bool('blockOwnerDeletion'),
};

const metadata: Field = part('metadata', {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  5: text('uid'),
  6: text('resourceVersion'),
  11: textMap('labels'),
  12: textMap('annotations'),
  13: parts('ownerReferences', owner),
  14: texts('finalizers'),
});

const deleteOptions: Message = {
  1: int('gracePeriodSeconds'),
  2: part('preconditions', { 1: text('uid'), 2: text('resourceVersion') }),
  4: text('propagationPolicy'),
  5: texts('dryRun'),
};

const servicePort: Message = {
  1: text('name'),
  2: text('protocol'),
  3: int('port'),
  4: { name: 'targetPort', type: 'intOrString' },
  6: text('appProtocol'),
};

const attributes: Message = {
  1: text('namespace'),
  2: text('verb'),
  3: text('group'),
  4: text('version'),
  5: text('resource'),
  6: text('subresource'),
  7: text('name'),
};

/** By kind. */
export const protobufKinds: Readonly<Record<string, Message>> = {
  Namespace: { 1: metadata, 2: part('spec', { 1: texts('finalizers') }) },
  ConfigMap: { 1: metadata, 2: textMap('data'), 3: byteMap('binaryData'), 4: bool('immutable') },
  Secret: { 1: metadata, 2: byteMap('data'), 3: text('type'), 4: textMap('stringData'), 5: bool('immutable') },
  ServiceAccount: {
    1: metadata,
    3: parts('imagePullSecrets', { 1: text('name') }),
    4: bool('automountServiceAccountToken'),
  },
  Service: {
    1: metadata,
    2: part('spec', {
      1: parts('ports', servicePort),
      2: textMap('selector'),
      3: text('clusterIP'),
      4: text('type'),
      7: text('sessionAffinity'),
      10: text('externalName'),
      18: texts('clusterIPs'),
    }),
  },
  TokenRequest: {
    1: metadata,
    2: part('spec', {
      1: texts('audiences'),
      3: part('boundObjectRef', { 1: text('kind'), 2: text('apiVersion'), 3: text('name'), 4: text('uid') }),
      4: int('expirationSeconds'),
    }),
  },
  SelfSubjectReview: { 1: metadata },
  SelfSubjectAccessReview: {
    1: metadata,
    2: part('spec', {
      1: part('resourceAttributes', attributes),
      2: part('nonResourceAttributes', { 1: text('path'), 2: text('verb') }),
    }),
  },
  Eviction: { 1: metadata, 2: part('deleteOptions', deleteOptions) },
  DeleteOptions: deleteOptions,
};
