import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { Continuations } from './continuations.ts';
import { ObjectStore } from './object-store.ts';
import { TokenSigner } from './token-signer.ts';
import { defined } from '../../../../shared/core/defined.ts';

/** The API server's flags `--service-account-extend-token-expiration` and `--service-account-max-token-expiration`. */
export interface TokenTerms {
  readonly extend: boolean;
  /** No bound unless given. */
  readonly longestSeconds?: number;
}

/** One cluster's whole state; a rebuilt cluster has another. */
export interface ClusterState {
  readonly store: ObjectStore;
  readonly tokens: TokenSigner;
  readonly pages: Continuations;
  /** The API server's time in ms. */
  readonly now: () => number;
  /** What `kube-root-ca.crt` holds. */
  readonly caPem: string;
  readonly tokenTerms: TokenTerms;
  /** Whom each manager's server-side apply last named what of, by object UID and manager. */
  readonly applied: Map<string, JsonObject>;
}

export interface ClusterStateOptions {
  readonly now: () => number;
  readonly caPem?: string;
  readonly tokenTerms?: TokenTerms;
  readonly firstVersion?: number;
  /** How many writes a watch may be behind; 4096 unless given. */
  readonly historySize?: number;
}

export function createClusterState(options: ClusterStateOptions): ClusterState {
  const { now, historySize } = options;
  return {
    store: new ObjectStore({
      firstVersion: options.firstVersion ?? 100,
      ...defined({ historySize }),
    }),
    tokens: new TokenSigner(randomUUID()),
    pages: new Continuations(),
    now,
    caPem: options.caPem ?? '',
    tokenTerms: options.tokenTerms ?? { extend: true },
    applied: new Map(),
  };
}
