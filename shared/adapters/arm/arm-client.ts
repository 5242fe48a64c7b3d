import type { TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { armBuckets } from '../../core/budget/plan.ts';
import { describeFault, fail, ok } from '../../core/fault.ts';
import type { Fault, Result } from '../../core/fault.ts';
import type { BudgetObservation, Budgets, Spend } from '../../ports/budgets.ts';
import type { Log } from '../../ports/log.ts';
import type { CallObserver } from '../../ports/telemetry.ts';
import { answerFault, thrownFault } from './arm-faults.ts';
import type { ArmAction, ArmAnswer } from './arm-faults.ts';
import { parseUrl } from '../../wire/url-text.ts';
import { defined } from '../../core/defined.ts';

export interface ArmConfig {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  /** The region whose usages are read, e.g. `westeurope`. */
  readonly location: string;
  /** `https://management.azure.com`, a sovereign cloud's, or an emulator's; no slash at the end. */
  readonly endpoint: string;
  readonly credential: TokenCredential;
  /** What tokens are asked for; `<endpoint>/.default` unless given. */
  readonly tokenScope?: string;
  readonly budgets: Pick<Budgets, 'take' | 'report'>;
  readonly log: Log;
  readonly observe?: CallObserver;
  /** PEM of the CA that the endpoint's certificate is from; the system's CAs are not trusted then. */
  readonly certificateAuthorityPem?: string;
  /** What sends a request when the pipeline is through with it; the SDK's own unless given. */
  readonly httpClient?: HttpClient;
}

interface ArmRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Absolute, on the endpoint's host. */
  readonly url: string;
  readonly body?: string;
  readonly action: ArmAction;
  readonly spend: Spend;
  readonly signal: AbortSignal;
}

/** Sends one request each, after one permit; its own answer decides. */
export interface ArmClient {
  send(request: ArmRequest): Promise<Result<ArmAnswer>>;
}

/** What a request came to; the status where the server answered. */
interface Sent {
  readonly result: Result<ArmAnswer>;
  readonly status?: number;
}

type Send = (request: ArmRequest) => Promise<ArmAnswer>;

export function createArmClient(config: ArmConfig): ArmClient {
  let sender: Promise<Send> | undefined;
  const host = new URL(config.endpoint).host;
  const attempt = async (request: ArmRequest): Promise<Result<ArmAnswer>> => {
    try {
      sender ??= loadSender(config);
      const send = await sender;
      return ok(await send(request));
    } catch (error) {
      return fail(thrownFault(error));
    }
  };
  const sendOnce = async (request: ArmRequest): Promise<Sent> => {
    const permit = await config.budgets.take(request.spend);
    if (!permit.ok) return { result: permit };
    if (request.signal.aborted)
      return { result: fail({ kind: 'transient', message: 'There is no time left for the request.' }) };
    const answer = await attempt(request);
    if (!answer.ok) return { result: logged(config.log, request, answer.fault) };
    await reportBudget(config.budgets, request.spend, answer.value);
    const { status } = answer.value;
    if (status >= 200 && status < 300) return { result: answer, status };
    return { result: logged(config.log, request, answerFault(answer.value, request.action)), status };
  };
  return {
    send: async (request) => {
      // Our token must not follow a link to another host.
      if (!isSameHost(request.url, host))
        return fail({ kind: 'transient', message: 'ARM named a URL on another host.' });
      const { method, action, spend } = request;
      const end = config.observe?.({ port: 'arm', method, action, budget: armBuckets[spend] });
      const { result, status } = await sendOnce(request);
      end?.({
        ...defined({ status }),
        ...(result.ok ? {} : { fault: result.fault.kind }),
      });
      return result;
    },
  };
}

function isSameHost(url: string, host: string): boolean {
  const parsed = parseUrl(url);
  return parsed !== undefined && parsed.protocol === 'https:' && parsed.host === host;
}

/**
 * The SDK's client with its own pipeline (credential, user agent, tracing), but one request a call: its `begin*` methods
 * poll once by themselves, a read that no budget knows and whose failure would hide an accepted PUT.
 */
async function loadSender(config: ArmConfig): Promise<Send> {
  const [{ ContainerInstanceManagementClient }, { createHttpHeaders, createPipelineRequest }] = await Promise.all([
    import('@azure/arm-containerinstance'),
    import('@azure/core-rest-pipeline'),
  ]);
  const client = new ContainerInstanceManagementClient(config.credential, config.subscriptionId, {
    endpoint: config.endpoint,
    credentialScopes: config.tokenScope ?? `${config.endpoint}/.default`,
    retryOptions: { maxRetries: 0 },
    redirectOptions: { maxRetries: 0 },
    ...defined({ httpClient: config.httpClient }),
    ...(config.certificateAuthorityPem === undefined ? {} : { tlsOptions: { ca: config.certificateAuthorityPem } }),
  });
  // It throws at a body that is no JSON, whatever the status: an accepted PUT would look like a lost one.
  client.pipeline.removePolicy({ name: 'deserializationPolicy' });
  return async ({ method, url, body, signal }) => {
    const headers = createHttpHeaders({
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    });
    const request = createPipelineRequest({
      method,
      url,
      headers,
      abortSignal: signal,
      ...defined({ body }),
    });
    const response = await client.sendRequest(request);
    return {
      status: response.status,
      body: response.bodyAsText ?? '',
      header: (name) => response.headers.get(name),
    };
  };
}

/** Faults that are part of a pod's life are the caller's business; what an operator must know is logged here, once a request. */
function logged(log: Log, request: ArmRequest, fault: Fault): Result<never> {
  if (fault.kind === 'denied' || fault.kind === 'throttled' || fault.kind === 'transient')
    log.warn('ARM did not do as asked.', { action: request.action, kind: fault.kind, fault: describeFault(fault) });
  return fail(fault);
}

const windowHeaders = ['pt5m', 'pt1h'].map(
  (window) => `x-ms-ratelimit-remaining-subscription-resource-requests-${window}`,
);

async function reportBudget(budgets: Pick<Budgets, 'report'>, spend: Spend, answer: ArmAnswer): Promise<void> {
  const meter = [`x-ms-ratelimit-remaining-subscription-${armBuckets[spend]}`];
  const remaining = lowest(answer, meter);
  const windowRemaining = lowest(answer, windowHeaders);
  const fault = answer.status === 429 ? answerFault(answer, 'get') : undefined;
  const isAccepted = answer.status >= 200 && answer.status < 300;
  const observation: BudgetObservation = {
    ...(isAccepted && windowRemaining === undefined ? { accepted: true } : {}),
    ...(fault?.kind === 'throttled' ? { retryAfterMs: fault.retryAfterMs } : {}),
    ...defined({ remaining, windowRemaining }),
  };
  const reported = Object.keys(observation).length === 0 ? undefined : budgets.report(spend, observation);
  // Everybody must know of a 429 before anybody goes on; that less remains may be written while the caller goes on.
  if (fault !== undefined) await reported;
}

function lowest(answer: ArmAnswer, names: readonly string[]): number | undefined {
  const values = names.flatMap((name) => {
    const text = answer.header(name) ?? '';
    return /^\d{1,9}$/.test(text) ? [Number(text)] : [];
  });
  return values.length === 0 ? undefined : Math.min(...values);
}
