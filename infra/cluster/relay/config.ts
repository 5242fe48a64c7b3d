import * as z from 'zod';

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

const file = (what: string) => z.string(what).min(1, what);
const port = z
  .int('a port number')
  .min(0, 'a port from 0 to 65535; 0 is any free one')
  .max(65_535, 'a port from 0 to 65535');
const serving = z.strictObject({ certFile: file('path of a PEM certificate'), keyFile: file('path of its PEM key') });

const objectName = (what: string) => z.string(what).regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, what);

const isLoopback = (url: URL): boolean => /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname);

/** Every request carries a token, so plain http never leaves the machine. */
const tokenUrl = (what: string) =>
  z.string(what).refine((text) => {
    if (!URL.canParse(text)) return false;
    const url = new URL(text);
    return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
  }, what);

const schema = z.strictObject({
  /** UID of the kube-system namespace: the cluster's name toward the app. */
  clusterUid: z.guid('the UID of the kube-system namespace'),
  apiServer: z
    .strictObject({
      url: tokenUrl('an https:// URL; http:// only on loopback').default('https://kubernetes.default.svc'),
      caFile: file('path of the CA (PEM)').default(`${serviceAccountFolder}/ca.crt`),
      tokenFile: file('path of the token').default(`${serviceAccountFolder}/token`),
    })
    .prefault({}),
  app: z.strictObject({
    /** Without `/api`. */
    url: tokenUrl('an https:// URL; http:// only on loopback'),
    /** Trusted besides the system's authorities; for a test server. */
    caFile: file('path of a CA (PEM)').optional(),
    /** A projected ServiceAccount token whose audience is the app. */
    tokenFile: file('path of the token'),
  }),
  aci: z
    .strictObject({
      /** Trusted for sessions with containers, besides the system's authorities; for a test server. */
      caFile: file('path of a CA (PEM)').optional(),
    })
    .prefault({}),
  nodes: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, 'a node name'),
        port,
        /** This node's own certificate; absent: `serving`. */
        serving: serving.optional(),
      }),
    )
    .min(1, 'at least one node')
    .max(32, 'at most 32 nodes')
    .refine((nodes) => new Set(nodes.map((node) => node.name)).size === nodes.length, 'each name once')
    .refine((nodes) => {
      const fixed = nodes.map((node) => node.port).filter((number) => number !== 0);
      return new Set(fixed).size === fixed.length;
    }, 'each port once'),
  /** The app's `INSTALLATION`: `drain` leaves the Nodes of others alone. Absent: it takes those of any. */
  installation: objectName("the app's INSTALLATION").optional(),
  /** The Lease by which the replicas agree on the one that watches and posts; absent: this process does. */
  leaderElection: z
    .strictObject({ namespace: objectName('a namespace'), name: objectName('the name of a Lease') })
    .optional(),
  /** Where the kubelet ports listen. */
  listenAddress: z.union([z.ipv4(), z.ipv6()], 'an IP address').default('0.0.0.0'),
  serving,
  /** The CA of the API server's client certificate. */
  kubeletClientCaFile: file('path of the CA (PEM)'),
  health: z
    .strictObject({
      address: z.union([z.ipv4(), z.ipv6()], 'an IP address').default('127.0.0.1'),
      port: port.default(10_248),
    })
    .prefault({}),
});

/** What a relay is given. Files are read again when they change. */
export type RelayConfig = z.infer<typeof schema>;

export type ConfigResult =
  | { readonly ok: true; readonly value: RelayConfig }
  /** All at once, one sentence each: the member's path, and what it should be. */
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads the text of a configuration file. Never throws. */
export function parseConfig(text: string): ConfigResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, faults: ['the file is not JSON'] };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.length === 0 ? 'the file' : issue.path.join('.')}: ${issue.message}`,
  );
  return { ok: false, faults };
}

/** A file that is named in a configuration, and where. */
export interface NamedFile {
  readonly field: string;
  readonly path: string;
}

/** The files without which the API server can't be reached. */
export const apiServerFiles = (config: RelayConfig): readonly NamedFile[] => [
  { field: 'apiServer.caFile', path: config.apiServer.caFile },
  { field: 'apiServer.tokenFile', path: config.apiServer.tokenFile },
];

/** The files that must be there before a relay can start. */
export const filesOf = (config: RelayConfig): readonly NamedFile[] => [
  ...apiServerFiles(config),
  { field: 'app.tokenFile', path: config.app.tokenFile },
  ...(config.app.caFile === undefined ? [] : [{ field: 'app.caFile', path: config.app.caFile }]),
  ...(config.aci.caFile === undefined ? [] : [{ field: 'aci.caFile', path: config.aci.caFile }]),
  { field: 'serving.certFile', path: config.serving.certFile },
  { field: 'serving.keyFile', path: config.serving.keyFile },
  { field: 'kubeletClientCaFile', path: config.kubeletClientCaFile },
  ...config.nodes.flatMap(({ serving: own }, index) =>
    own === undefined
      ? []
      : [
          { field: `nodes.${index}.serving.certFile`, path: own.certFile },
          { field: `nodes.${index}.serving.keyFile`, path: own.keyFile },
        ],
  ),
];
