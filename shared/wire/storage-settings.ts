import { parseUrl } from './url-text.ts';

/**
 * Whether the Table service's SDK takes this for a connection string: an account's with its key, one with a SAS, or
 * `UseDevelopmentStorage=true`. It would throw at any other, at each call.
 */
export function isConnectionString(text: string): boolean {
  if (/(^|;)\s*UseDevelopmentStorage=true\s*(;|$)/i.test(text)) return true;
  const parts = partsOf(text);
  if (parts.some((part) => !part.includes('='))) return false;
  const value = valuesOf(parts);
  const endpoint = value('tableendpoint');
  if (endpoint !== '' && !isHttpUrl(endpoint)) return false;
  if (value('accountkey') === '') return endpoint !== '' && value('sharedaccesssignature') !== '';
  const protocol = value('defaultendpointsprotocol');
  return (
    /^https?$/i.test(protocol) &&
    value('accountname') !== '' &&
    (endpoint !== '' || isHttpUrl(`${protocol}://${value('accountname')}.table.${value('endpointsuffix')}`))
  );
}

const partsOf = (text: string): readonly string[] => text.split(';').filter((part) => part.trim() !== '');

function valuesOf(parts: readonly string[]): (name: string) => string {
  const values = new Map(parts.map(keyAndValue));
  return (name) => values.get(name) ?? '';
}

function keyAndValue(part: string): readonly [string, string] {
  const trimmed = part.trim();
  const end = trimmed.indexOf('=');
  return [trimmed.slice(0, end).toLowerCase(), trimmed.slice(end + 1)];
}

function isHttpUrl(text: string): boolean {
  const url = parseUrl(text);
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.hostname.endsWith('.');
}

/**
 * Whether this is the URL of a blob: `https://`, or `http://` on loopback with a SAS (a bearer token is never sent in
 * the clear). A query must be a SAS.
 */
export function isRegistrationsUrl(text: string): boolean {
  const url = parseUrl(text);
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  const hasSas = url.searchParams.has('sig');
  if (url.search !== '' && !hasSas) return false;
  if (!/^\/[^/]+\/.*[^/]$/.test(url.pathname)) return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && hasSas && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
}

/** How the app's tables are reached: by the account's key or SAS, or at an endpoint by an identity. */
export type TableStorage =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | { readonly kind: 'identity'; readonly endpoint: string };

/** As the settings name it; the schema of settings demands one of the two. */
export function tableStorage(settings: {
  readonly AzureWebJobsStorage?: string | undefined;
  readonly AzureWebJobsStorage__tableServiceUri?: string | undefined;
}): TableStorage {
  const { AzureWebJobsStorage__tableServiceUri: endpoint, AzureWebJobsStorage: connectionString = '' } = settings;
  return endpoint === undefined ? { kind: 'connection-string', connectionString } : { kind: 'identity', endpoint };
}

/** Where the Blob service of the app's account is, and how it is asked. No endpoint has a slash at its end. */
export type BlobStorage =
  | { readonly kind: 'identity'; readonly endpoint: string }
  | { readonly kind: 'key'; readonly endpoint: string; readonly account: string; readonly key: string }
  /** `sas`: a query without `?`. */
  | { readonly kind: 'sas'; readonly endpoint: string; readonly sas: string };

/** As the storage emulator and the Functions host know them: the published account, and no secret. */
const developmentStorage =
  'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1';

/**
 * The Blob service beside the tables: as the settings name it, else by the name that Azure gives to it. Undefined: there
 * is none, as behind a SAS of the tables alone.
 */
export function blobStorage(settings: {
  readonly AzureWebJobsStorage?: string | undefined;
  readonly AzureWebJobsStorage__tableServiceUri?: string | undefined;
  readonly AzureWebJobsStorage__blobServiceUri?: string | undefined;
}): BlobStorage | undefined {
  const { AzureWebJobsStorage__tableServiceUri: tables, AzureWebJobsStorage__blobServiceUri: blobs } = settings;
  if (tables === undefined) return ofConnectionString(settings.AzureWebJobsStorage ?? '');
  const endpoint = blobs ?? besideTables(tables);
  return endpoint === undefined ? undefined : { kind: 'identity', endpoint: trimmed(endpoint) };
}

function ofConnectionString(text: string): BlobStorage | undefined {
  if (/(^|;)\s*UseDevelopmentStorage=true\s*(;|$)/i.test(text)) return ofConnectionString(developmentStorage);
  const value = valuesOf(partsOf(text).filter((part) => part.includes('=')));
  const [account, key, sas] = [value('accountname'), value('accountkey'), value('sharedaccesssignature')];
  const named = value('blobendpoint') || besideTables(value('tableendpoint'));
  const suffix = value('endpointsuffix');
  const endpoint =
    named || (suffix === '' ? undefined : `${value('defaultendpointsprotocol')}://${account}.blob.${suffix}`);
  if (endpoint === undefined) return undefined;
  if (account !== '' && key !== '') return { kind: 'key', endpoint: trimmed(endpoint), account, key };
  return sas === '' ? undefined : { kind: 'sas', endpoint: trimmed(endpoint), sas: sas.replace(/^\?/, '') };
}

function besideTables(tables: string): string | undefined {
  const beside = tables.replace(/^(https?:\/\/[^./]+)\.table\./i, '$1.blob.');
  return beside === tables ? undefined : beside;
}

const trimmed = (endpoint: string): string => endpoint.replace(/\/+$/, '');
