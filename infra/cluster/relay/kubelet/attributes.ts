/** What an authorizer is asked about a request to a node's port; the subresources in order, the first that is allowed decides. */
export interface NodeAttributes {
  readonly verb: string;
  readonly subresources: readonly string[];
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** These run something, whatever their method: a WebSocket to `/exec` is a GET. */
const running = new Set(['exec', 'attach', 'portForward', 'run']);

/** Where `proxy` alone does not decide: before it, or instead of it. */
const fineGrained: Readonly<Record<string, readonly string[]>> = {
  stats: ['stats'],
  metrics: ['metrics'],
  logs: ['log'],
  checkpoint: ['checkpoint'],
  pods: ['pods', 'proxy'],
  runningpods: ['pods', 'proxy'],
  healthz: ['healthz', 'proxy'],
  configz: ['configz', 'proxy'],
  statusz: ['statusz', 'proxy'],
  flagz: ['flagz', 'proxy'],
};

const verbOf = (method: string): string =>
  Object.hasOwn(verbs, method) ? (verbs[method] ?? '') : method.toLowerCase();

/**
 * The attributes of a request by its method and the segments of its cleaned path, as a kubelet makes them
 * (KEP 2862), but that exec, attach, portForward and run always ask for `create`.
 */
export function nodeAttributes(method: string, segments: readonly string[]): NodeAttributes {
  const [first = ''] = segments;
  return {
    verb: running.has(first) ? 'create' : verbOf(method),
    subresources: Object.hasOwn(fineGrained, first) ? (fineGrained[first] ?? ['proxy']) : ['proxy'],
  };
}
