/**
 * The error catalogue of docs/aci.md, Refusals with exact codes and texts. A fault is a value; `arm.ts` turns it into an answer.
 * `gateway` marks what ARM itself, not ACI, refused.
 */
export interface ArmFault {
  readonly kind: 'arm-fault';
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly gateway?: boolean;
}

function fault(status: number, code: string, message: string): ArmFault {
  return { kind: 'arm-fault', status, code, message };
}

function gateway(status: number, code: string, message: string): ArmFault {
  return { kind: 'arm-fault', status, code, message, gateway: true };
}

export function isFault(value: object): value is ArmFault {
  return 'kind' in value && value.kind === 'arm-fault';
}

/** Refusals of ARM's front door. */
export const frontDoor = {
  invalidToken: (authority: string): ArmFault => ({
    ...gateway(401, 'InvalidAuthenticationToken', 'The access token is invalid.'),
    headers: {
      'WWW-Authenticate': `Bearer authorization_uri="${authority}", error="invalid_token", error_description="The access token is invalid."`,
    },
  }),
  authorizationFailed: (client: string, objectId: string, action: string, scope: string): ArmFault =>
    gateway(
      403,
      'AuthorizationFailed',
      `The client '${client}' with object id '${objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    ),
  linkedAuthorizationFailed: (denied: {
    clientId: string;
    objectId: string;
    id: string;
    action: string;
    scopes: readonly string[];
  }): ArmFault =>
    fault(
      403,
      'LinkedAuthorizationFailed',
      `The client '${denied.clientId}' with object id '${denied.objectId}' has permission to perform action 'Microsoft.ContainerInstance/containerGroups/write' on scope '${denied.id}'; however, it does not have permission to perform action(s) '${denied.action}' on the linked scope(s) '${denied.scopes.join(',')}' or the linked scope(s) are invalid.`,
    ),
  linkedInvalidPropertyId: (id: string): ArmFault =>
    gateway(
      400,
      'LinkedInvalidPropertyId',
      `Property id '${id}' at path '' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.`,
    ),
  invalidIdentityId: (id: string): ArmFault =>
    gateway(
      400,
      'InvalidIdentityId',
      `The identity ids '${id}' are invalid. It must be of the following format: '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}'.`,
    ),
  missingIdentityIds: (): ArmFault =>
    gateway(400, 'MissingIdentityIds', "The identity ids must not be null or empty for 'UserAssigned' identity type."),
  invalidTags: (code: string, message: string): ArmFault => gateway(400, code, message),
  missingApiVersion: (): ArmFault =>
    gateway(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    ),
  noRegisteredProvider: (location: string, version: string, supported: readonly string[]): ArmFault =>
    gateway(
      400,
      'NoRegisteredProviderFound',
      `No registered resource provider found for location '${location}' and API version '${version}' for type 'containerGroups'. The supported api-versions are '${supported.join(', ')}'. The supported locations are '${location}'.`,
    ),
  invalidResourceType: (type: string, version: string): ArmFault =>
    gateway(404, 'InvalidResourceType', `The resource type '${type}' could not be found for api version '${version}'.`),
  subscriptionNotFound: (id: string): ArmFault =>
    gateway(404, 'SubscriptionNotFound', `The subscription '${id}' could not be found.`),
  resourceGroupNotFound: (name: string): ArmFault =>
    gateway(404, 'ResourceGroupNotFound', `Resource group '${name}' could not be found.`),
  resourceNotFound: (name: string, resourceGroup: string, suffix: boolean): ArmFault =>
    gateway(
      404,
      'ResourceNotFound',
      `The Resource 'Microsoft.ContainerInstance/containerGroups/${name}' under resource group '${resourceGroup}' was not found.${suffix ? ' For more details please go to https://aka.ms/ARMResourceNotFoundFix' : ''}`,
    ),
  invalidContent: (detail: string): ArmFault =>
    gateway(
      400,
      'InvalidRequestContent',
      `The request content was invalid and could not be deserialized: '${detail}'.`,
    ),
  bodyTooLarge: (limit: number): ArmFault =>
    gateway(413, 'RequestContentTooLarge', `The request content exceeds the limit of '${limit}' bytes.`),
  locationRequired: (): ArmFault =>
    gateway(400, 'LocationRequired', 'The location property is required for this definition.'),
  locationNotAvailable: (location: string, known: readonly string[]): ArmFault =>
    gateway(
      400,
      'LocationNotAvailableForResourceType',
      `The provided location '${location}' is not available for resource type 'Microsoft.ContainerInstance/containerGroups'. List of available regions for the resource type is '${known.join(',')}'.`,
    ),
  invalidResourceLocation: (name: string, resourceGroup: string, existing: string, wanted: string): ArmFault =>
    gateway(
      409,
      'InvalidResourceLocation',
      `The resource '${name}' already exists in location '${existing}' in resource group '${resourceGroup}'. A resource with the same name cannot be created in location '${wanted}'. Please select a new resource name.`,
    ),
  subscriptionThrottled: (what: string, limit: number, seconds: number): ArmFault => ({
    ...gateway(
      429,
      'SubscriptionRequestsThrottled',
      `Number of ${what} requests for subscription exceeded the limit of '${limit}'. Please try again after '${seconds}' seconds.`,
    ),
    headers: { 'Retry-After': String(seconds) },
  }),
  resourceRequestsThrottled: (action: string, limit: number, interval: string, seconds: number): ArmFault => ({
    ...gateway(
      429,
      'ResourceRequestsThrottled',
      `Number of requests for action '${action}' exceeded the limit of '${limit}' for time interval '${interval}'. Please try again after '${seconds}' seconds.`,
    ),
    headers: { 'Retry-After': String(seconds) },
  }),
  internal: (activityId: string): ArmFault =>
    fault(
      500,
      'InternalServerError',
      `Encountered an internal server error. The tracking activity id is '${activityId}', correlation id is '${activityId}'.`,
    ),
};

/** What the event and the 409 of a capacity shortage say. */
export function capacityMessage(request: {
  location: string;
  cpu: number;
  memoryInGB: number;
  osType: string;
  subnet: boolean;
}): string {
  return `The requested resource is not available in the location '${request.location}' at this moment. Please retry with a different resource request or in another location. Resource requested: '${request.cpu}' CPU '${request.memoryInGB}' GB memory '${request.osType}' OS${request.subnet ? ' virtual network' : ''}`;
}

/** Refusals of ACI itself. */
export const aci = {
  transitioning: (name: string): ArmFault =>
    fault(
      409,
      'ContainerGroupTransitioning',
      `The container group '${name}' is still transitioning, please retry later.`,
    ),
  capacity: (message: string): ArmFault => fault(409, 'ServiceUnavailable', message),
  quotaReached: (
    status: number,
    q: { name: string; location: string; limit: number; usage: number; requested: number },
  ): ArmFault =>
    fault(
      status,
      'ContainerGroupQuotaReached',
      `Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota '${q.name}' exceeded in region '${q.location}'. Limit: '${q.limit}', Usage: '${q.usage}' Requested: '${q.requested}'.`,
    ),
  inaccessibleImage: (image: string, group: string): ArmFault =>
    fault(
      400,
      'InaccessibleImage',
      `The image '${image}' in container group '${group}' is not accessible. Please check the image and registry credential.`,
    ),
  registryError: (server: string): ArmFault =>
    fault(
      409,
      'RegistryErrorResponse',
      `An error response is received from the docker registry '${server}'. Please retry later.`,
    ),
  invalidUpdate: (group: string): ArmFault =>
    fault(
      400,
      'InvalidContainerGroupUpdate',
      `The updates on container group '${group}' are invalid. If you are going to update the os type, restart policy, network profile, CPU, memory or GPU resources for a container group, you must delete it first and then create a new one.`,
    ),
  /** The frame is recorded in issues of other resource types, the inner answer is inferred. */
  failedIdentityOperation: (group: string, identity: string): ArmFault =>
    fault(
      400,
      'FailedIdentityOperation',
      `Identity operation for resource '${group}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{"error":{"code":"BadRequest","message":"Resource '${identity}' was not found."}}'.'.`,
    ),
  labelNotAvailable: (status: number, label: string, group: string): ArmFault =>
    fault(
      status,
      'DnsNameLabelNotAvailable',
      `The DNS name label '${label}' in container group '${group}' not available. Try using a different label.`,
    ),
  logNotAvailable: (container: string, group: string): ArmFault =>
    fault(
      404,
      'ContainerLogNotAvailable',
      `Log of container '${container}' in container group '${group}' is not available yet. Please check container 'InstanceView' for more information or retry later.`,
    ),
  containerNotFound: (container: string, group: string): ArmFault =>
    fault(404, 'ContainerNotFound', `Container '${container}' was not found in container group '${group}'.`),
  stopped: (group: string): ArmFault =>
    fault(409, 'ContainerGroupStopped', `The container group '${group}' is stopped.`),
  operationNotFound: (id: string): ArmFault => fault(404, 'ResourceNotFound', `The operation '${id}' was not found.`),
  invalid: (code: string, message: string): ArmFault => fault(400, code, message),
};
