/** What clients ask to learn which kinds there are, as far as kubectl needs it. */
import { apiVersionOf, resources } from '../../sim/api-server/resources.ts';
import type { Resource } from '../../sim/api-server/resources.ts';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { json, pathNotFound, refused } from './answer.ts';
import type { Answer } from './answer.ts';
import { openApiIndex, openApiOf } from './openapi.ts';

export interface ServerFacts {
  /** `host:port`. */
  readonly address: string;
  /** `v1.36.3`. */
  readonly version: string;
}

/** The document at a path that is no resource's. */
export function documentOf(segments: readonly string[], facts: ServerFacts): Answer {
  const [root = '', version = ''] = segments;
  switch (root) {
    case '':
      return json({ paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'] });
    case 'healthz':
    case 'livez':
    case 'readyz':
      return { kind: 'text', status: 200, body: 'ok' };
    case 'version':
      return json(versionJson(facts.version));
    case 'api':
      return version === '' ? json(coreVersions(facts)) : listOf('', version);
    case 'apis':
      return groupDocument(segments);
    case 'openapi':
      return openApi(segments);
    default:
      return refused(pathNotFound);
  }
}

function groupDocument([, group = '', version = '']: readonly string[]): Answer {
  if (group === '') return json({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups().map(groupJson) });
  if (version !== '') return listOf(group, version);
  return groups().includes(group) ? json(groupJson(group)) : refused(pathNotFound);
}

function openApi([, version = '', ...rest]: readonly string[]): Answer {
  if (version === 'v2') return emptyOpenApi2;
  if (version !== 'v3') return refused(pathNotFound);
  if (rest.length === 0) return json(openApiIndex());
  const document = openApiOf(rest.join('/'));
  return document === undefined ? refused(pathNotFound) : json(document);
}

/** kubectl wants one for a `List`, in protobuf: an empty document reports it that it need not validate by itself. */
const emptyOpenApi2: Answer = {
  kind: 'text',
  status: 200,
  body: '',
  contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
};

const groups = (): readonly string[] => [...new Set(resources.map(({ group }) => group))].filter((one) => one !== '');

function versionJson(version: string): JsonObject {
  const [major = '1', minor = '0'] = version.replace(/^v/, '').split('.');
  return {
    major,
    minor,
    gitVersion: version,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'node',
    platform: `${process.platform}/${process.arch}`,
  };
}

const coreVersions = ({ address }: ServerFacts): JsonObject => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
});

function groupJson(group: string): JsonObject {
  const version = resources.find((one) => one.group === group)?.version ?? 'v1';
  const preferred = { groupVersion: `${group}/${version}`, version };
  return { kind: 'APIGroup', apiVersion: 'v1', name: group, versions: [preferred], preferredVersion: preferred };
}

function listOf(group: string, version: string): Answer {
  const served = resources.filter((one) => one.group === group && one.version === version);
  const [first] = served;
  if (first === undefined) return refused(pathNotFound);
  return json({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(first),
    resources: served.flatMap(resourceJson),
  });
}

const objectVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function resourceJson(resource: Resource): readonly JsonObject[] {
  const { plural, kind, isNamespaced, shortNames, storage, hasStatus, subresources } = resource;
  const names = shortNames.length === 0 ? {} : { shortNames };
  const isAll = ['pods', 'services'].includes(plural) || storage === 'absent';
  const main = {
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced: isNamespaced,
    kind,
    verbs: storage === 'review' ? ['create'] : objectVerbs,
    ...names,
    ...(isAll ? { categories: ['all'] } : {}),
  };
  const below = storage === 'object' ? [...(hasStatus ? ['status'] : []), ...subresources] : [];
  return [
    main,
    ...below.map((subresource) => ({
      name: `${plural}/${subresource}`,
      singularName: '',
      namespaced: isNamespaced,
      ...subresourceKind(resource, subresource),
    })),
  ];
}

/** Their bodies are of other kinds. */
function subresourceKind({ kind }: Resource, subresource: string): JsonObject {
  switch (subresource) {
    case 'token':
      return { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] };
    case 'eviction':
      return { group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] };
    case 'binding':
      return { kind: 'Binding', verbs: ['create'] };
    case 'log':
      return { kind, verbs: ['get'] };
    case 'status':
      return { kind, verbs: ['get', 'patch', 'update'] };
    default:
      return { kind, verbs: ['create', 'get'] };
  }
}
