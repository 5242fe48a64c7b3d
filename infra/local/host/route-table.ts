import type { HttpFunction } from './definitions.ts';

/** A request matched to a function, with the values of its route parameters. */
export interface RouteMatch {
  readonly target: HttpFunction;
  readonly params: Record<string, string>;
}

type Segment =
  | { kind: 'text'; text: string }
  | { kind: 'value'; name: string; optional: boolean; fallback: string | undefined }
  | { kind: 'rest'; name: string };

interface Route {
  readonly target: HttpFunction;
  readonly segments: Segment[];
}

function parseSegment(text: string): Segment {
  const inner = /^\{(.*)\}$/.exec(text)?.[1];
  if (inner === undefined) return { kind: 'text', text: text.toLowerCase() };
  const rest = /^\*{1,2}([^:=?]+)/.exec(inner)?.[1];
  if (rest !== undefined) return { kind: 'rest', name: rest };
  const [declared = '', fallback] = inner.split('=', 2);
  const name = declared.replace(/[:?].*$/, '');
  return { kind: 'value', name, optional: declared.endsWith('?') || fallback !== undefined, fallback };
}

/** One slash at the end means nothing; an empty segment anywhere else matches no route. */
function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  return trimmed === '' ? [] : trimmed.split('/');
}

function takeValue(
  segment: Extract<Segment, { kind: 'value' }>,
  part: string | undefined,
): Record<string, string> | undefined {
  if (part === undefined) {
    if (!segment.optional) return undefined;
    return segment.fallback === undefined ? {} : { [segment.name]: segment.fallback };
  }
  return part === '' ? undefined : { [segment.name]: part };
}

function matchRoute(segments: readonly Segment[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  let at = 0;
  for (const segment of segments) {
    const part = parts[at];
    if (segment.kind === 'rest') {
      const rest = parts.slice(at).join('/');
      return { ...params, ...(rest === '' ? {} : { [segment.name]: rest }) };
    }
    if (segment.kind === 'text') {
      if (part?.toLowerCase() !== segment.text) return undefined;
    } else {
      const taken = takeValue(segment, part);
      if (taken === undefined) return undefined;
      Object.assign(params, taken);
    }
    at += part === undefined ? 0 : 1;
  }
  return at < parts.length ? undefined : params;
}

const ordinal = (left: string, right: string): number => {
  const [a, b] = [left.toUpperCase(), right.toUpperCase()];
  return a < b ? -1 : a > b ? 1 : 0;
};

/** Why a function cannot be indexed beside those before it, as the real host refuses it; undefined when it can. */
function indexFault(target: HttpFunction, before: readonly HttpFunction[]): string | undefined {
  const text = target.route.replaceAll(/^\/+|\/+$/g, '').toLowerCase();
  if (text.startsWith('admin') || text.startsWith('runtime'))
    return `Function "${target.name}": the route "${target.route}" conflicts with a built in route.`;
  const twin = before.find(
    (other) =>
      other.route.replaceAll(/^\/+|\/+$/g, '').toLowerCase() === text &&
      other.methods.some((method) => target.methods.includes(method)),
  );
  return twin === undefined
    ? undefined
    : `Function "${target.name}": the route "${target.route}" is also that of "${twin.name}".`;
}

/**
 * The routes of an app. Order is that of the function names, ordinal and without regard to case; the first route that
 * matches path and method wins, however general it is.
 */
export class RouteTable {
  readonly #routes: Route[] = [];
  /** One sentence for each function that was refused. */
  readonly faults: string[] = [];

  constructor(functions: readonly HttpFunction[], routePrefix: string) {
    for (const target of [...functions].sort((left, right) => ordinal(left.name, right.name))) {
      const fault = indexFault(
        target,
        this.#routes.map((route) => route.target),
      );
      if (fault === undefined) {
        const segments = splitPath(`${routePrefix}/${target.route}`).map(parseSegment);
        this.#routes.push({ target, segments });
      } else this.faults.push(fault);
    }
  }

  /** Finds the function for a method and a path as `readTarget` gives it; a method mismatch is a miss like any other. */
  match(method: string, path: string): RouteMatch | undefined {
    const parts = splitPath(path);
    for (const { target, segments } of this.#routes) {
      const params = target.methods.includes(method.toUpperCase()) ? matchRoute(segments, parts) : undefined;
      if (params !== undefined) return { target, params };
    }
    return undefined;
  }
}
