import { parseUrl } from '../../wire/url-text.ts';
import type { TokenCredential } from '@azure/core-auth';
import type { HttpMethods } from '@azure/core-rest-pipeline';
import { fail, ok } from '../../core/fault.ts';
import type { Result } from '../../core/fault.ts';
import { thrownFault } from './blob-faults.ts';
import type { BlobAnswer } from './blob-faults.ts';
import { defined } from '../../core/defined.ts';

interface BlobClientConfig {
  /** Who asks, where the request itself does not say it (a SAS, a signature). */
  readonly credential?: TokenCredential | undefined;
  /** PEM of the CA that the endpoint's certificate is from; the system's CAs are not trusted then. */
  readonly caPem?: string;
}

export interface BlobRequest {
  readonly method: HttpMethods;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export type BlobClient = (request: BlobRequest) => Promise<Result<BlobAnswer>>;

/** The first version whose answers are those read here; Blob storage needs one to take a token. */
export const blobApiVersion = '2021-12-02';
const tokenScope = 'https://storage.azure.com/.default';

/**
 * One request to Blob storage, and whatever it answered; a fault only where nothing was answered. The HTTP client is
 * loaded on the first call; nothing is retried inside, and no message reports the URL.
 */
export function createBlobClient(config: BlobClientConfig): BlobClient {
  type Send = (request: BlobRequest) => Promise<BlobAnswer>;
  let sender: Promise<Send> | undefined;
  return async (request) => {
    try {
      sender ??= loadSender(config);
      const send = await sender;
      return ok(await send(request));
    } catch (error) {
      return fail(thrownFault(error, { aborted: request.signal.aborted }));
    }
  };
}

async function loadSender({
  credential,
  caPem,
}: BlobClientConfig): Promise<(request: BlobRequest) => Promise<BlobAnswer>> {
  const {
    bearerTokenAuthenticationPolicy,
    createDefaultHttpClient,
    createHttpHeaders,
    createPipelineFromOptions,
    createPipelineRequest,
  } = await import('@azure/core-rest-pipeline');
  const pipeline = createPipelineFromOptions({
    retryOptions: { maxRetries: 0 },
    redirectOptions: { maxRetries: 0 },
    ...(caPem === undefined ? {} : { tlsOptions: { ca: caPem } }),
  });
  if (credential !== undefined)
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: tokenScope }), { phase: 'Sign' });
  const client = createDefaultHttpClient();
  return async ({ method, url, headers, body, signal }) => {
    const request = createPipelineRequest({
      method,
      url,
      // A token is not sent in the clear: the policy refuses.
      allowInsecureConnection: parseUrl(url)?.protocol === 'http:',
      headers: createHttpHeaders({ 'x-ms-version': blobApiVersion, ...headers }),
      abortSignal: signal,
      ...defined({ body }),
    });
    const response = await pipeline.sendRequest(client, request);
    return {
      status: response.status,
      body: response.bodyAsText ?? '',
      header: (name) => response.headers.get(name),
    };
  };
}
