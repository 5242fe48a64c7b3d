import type { Fault } from '../../../shared/core/fault.ts';
import { isAcr } from '../../../shared/core/image/registry-endpoint.ts';
import { failure } from '../stop.ts';
import type { Stop } from '../stop.ts';

/** What was to be pushed, and where. */
export interface PushPlace {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/** Why an image could not be pushed, in one sentence, and what to do in another. */
export const pushStop = (fault: Fault, place: PushPlace): Stop =>
  failure(`the agent's image is not in ${place.registry}/${place.repository}: ${fault.message}`, pushFix(fault, place));

/** What to do about it. Pure. */
export function pushFix(fault: Fault, place: PushPlace): string {
  switch (fault.kind) {
    case 'denied':
      return isFull.test(fault.message) ? fullFix : deniedFix(fault.code, place);
    case 'not-found':
      return `this registry makes no repository by itself, or is none: make ${place.repository} there, or check --registry`;
    case 'throttled':
      return `wait ${Math.ceil(fault.retryAfterMs / 1000)} s and run the same command again: it goes on from there`;
    case 'conflict':
      return `no tag is moved: take the tag ${place.tag} away there, or give another --repository`;
    case 'rejected':
      return rejectedFix(fault, place);
    case 'transient':
      return transientFix(fault.message);
    case 'capacity':
      return againLater;
  }
}

const againLater = 'run the same command again: it goes on from there';

function deniedFix(code: string, { registry, repository }: PushPlace): string {
  if (!isAcr(registry)) return `log in as somebody who may push to ${repository}: docker login ${registry}`;
  const [name = ''] = registry.split('.', 1);
  return code === 'NoToken'
    ? `sign in with az login, or with az acr login --name ${name}`
    : `ask for the role AcrPush at the registry (Container Registry Repository Writer where it goes by repository permissions): az role assignment create --assignee <you> --role AcrPush --scope $(az acr show --name ${name} --query id --output tsv); a new role takes some minutes`;
}

/** Of registries that say so in words alone. */
const isFull = /quota|storage (?:limit|space)|exceed|no space/i;
const fullFix = 'its storage is used up: make room there, or give another --registry';
const isLocked: ReadonlySet<string> = new Set(['UNSUPPORTED', 'HTTP405', 'METHOD_NOT_ALLOWED', 'DENIED']);

function rejectedFix({ code, message }: Extract<Fault, { kind: 'rejected' }>, place: PushPlace): string {
  if (isFull.test(message)) return fullFix;
  if (isLocked.has(code.toUpperCase()))
    return isAcr(place.registry)
      ? `it is read-only or locked: az acr repository update --name ${place.registry.split('.', 1)[0]} --repository ${place.repository} --write-enabled true`
      : 'it is read-only or locked: let it be written to, or give another --registry';
  if (code === 'HTTP413') return 'what is in front of it takes no request of that size: raise its limit';
  if (code === 'InsecureRegistry')
    return `a registry without TLS is named in the setting REGISTRY_ENDPOINTS (${place.registry}=http://…); ACI pulls over TLS alone`;
  return `check that ${place.registry} is a registry of images; any other tool can bring it too: skopeo copy oci:dist/agent/image:${place.tag} docker://${place.registry}/${place.repository}:${place.tag}, then run the same command again`;
}

function transientFix(message: string): string {
  if (/CERT|SIGNATURE|ISSUER/.test(message))
    return 'its certificate is of an authority that is not known here: name its file in the setting REGISTRY_CERTIFICATE_AUTHORITY_FILE, or in NODE_EXTRA_CA_CERTS';
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) return 'its name is not known here: check --registry, and the network';
  if (/ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|in time/.test(message))
    return 'there is no way to it from here: a registry with a private endpoint is reached from its network only; a proxy is not used';
  return againLater;
}
