/** Calls of the app in words that are the same in every run: `tables put pod(open) + put due`, `arm PUT group`. */
import type { OutsideCall } from '../../../infra/local/gate/call.ts';

/** What a call is, without names, times and ids. */
export function describeCall({ world, method, path, body }: OutsideCall): string {
  switch (world) {
    case 'tables':
      return `tables ${describeTableCall(method, path, body)}`;
    case 'arm':
      return `arm ${method} ${describeArmPath(path)}`;
    case 'kubernetes':
      return `kubernetes ${describeKubernetesCall(method, path)}`;
  }
}

/** Whether the call is about the pod: by its name or its UID, in the path or the body. */
export const isAbout = ({ path, body }: OutsideCall, pod: { readonly name: string; readonly uid: string }): boolean =>
  [pod.name, pod.uid].some((mark) => path.includes(mark) || body.includes(mark));

function describeArmPath(path: string): string {
  const plain = path.split('?')[0] ?? '';
  if (/\/containerGroups\/[^/]+\/stop$/i.test(plain)) return 'group/stop';
  if (/\/containerGroups\/[^/]+$/i.test(plain)) return 'group';
  if (/\/containerGroups\/?$/i.test(plain)) return 'groups';
  return plain.includes('/operations/') ? 'operation' : (plain.split('/').at(-1) ?? '');
}

function describeKubernetesCall(method: string, target: string): string {
  const [path = '', query = ''] = target.split('?');
  const parts = path.split('/').filter((part) => part !== '');
  const fromResource = parts[0] === 'api' ? parts.slice(2) : parts.slice(3);
  const namespaced = fromResource[0] === 'namespaces' && fromResource.length > 2 ? fromResource.slice(2) : fromResource;
  const [resource = '', name, subresource] = namespaced;
  const isNamed = name !== undefined || query.includes('metadata.name=');
  const verb = method === 'GET' ? (isNamed ? 'get' : 'list') : method;
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

function describeTableCall(method: string, path: string, body: string): string {
  if (path.includes('$batch')) return describeBatch(body);
  const key = /RowKey='([^']*)'/.exec(path)?.[1];
  if (key !== undefined) return `${method === 'GET' ? 'get' : method} ${rowKind(key)}`;
  const from = /RowKey ge '([^']*)'/.exec(path)?.[1];
  return from === undefined ? `${method} table` : `list ${rowKind(from)}`;
}

/** Each change of a transaction: its method, and the key of its row in the URL or in the body. */
function describeBatch(body: string): string {
  const changes = body
    .split('--changeset')
    .flatMap((part) => {
      const line = /^(POST|PUT|PATCH|MERGE|DELETE) \S+/m.exec(part);
      if (line === null) return [];
      const key = /RowKey='([^']*)'/.exec(decoded(line[0]))?.[1] ?? /"RowKey":"([^"]*)"/.exec(part)?.[1] ?? '';
      const verb = line[1] === 'DELETE' ? 'delete' : line[1] === 'POST' ? 'insert' : 'put';
      return [`${verb} ${rowKind(key)}${rowState(part)}`];
    })
    .map((text) => text.trim());
  return [...new Set(changes)].join(' + ');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const rowKind = (key: string): string => (key.startsWith('bucket-') ? key : (/^[a-z]+/.exec(key)?.[0] ?? 'row'));

/** A pod row's intent, and whether it is locked. */
function rowState(part: string): string {
  const intent = /\\"intent\\":\{\\"kind\\":\\"([a-z]+)/.exec(part)?.[1];
  return intent === undefined ? '' : `(${intent}${part.includes('\\"lock\\":{') ? ', locked' : ''})`;
}
