import { createGroup } from './handlers-create.ts';
import { attach, execute } from './handlers-exec.ts';
import {
  deleteGroup,
  getGroup,
  getLogs,
  listGroups,
  listGroupsByResourceGroup,
  outboundEndpoints,
  patchGroup,
} from './handlers-group.ts';
import { restartGroup, startGroup, stopGroup } from './handlers-lifecycle.ts';
import {
  getOperation,
  getResourceGroup,
  getSubscription,
  listCachedImages,
  listCapabilities,
  listOperations,
  listUsages,
} from './handlers-location.ts';
import { listMetrics } from './monitor/metrics.ts';
import type { OperationName } from './routes.ts';
import type { Handler } from './state.ts';

/** Who answers which operation of the route table. */
export const handlers: Readonly<Record<OperationName, Handler>> = {
  'groups.get': getGroup,
  'groups.put': createGroup,
  'groups.patch': patchGroup,
  'groups.delete': deleteGroup,
  'groups.list': listGroups,
  'groups.listByResourceGroup': listGroupsByResourceGroup,
  'groups.stop': stopGroup,
  'groups.start': startGroup,
  'groups.restart': restartGroup,
  'groups.outbound': outboundEndpoints,
  'groups.metrics': listMetrics,
  'containers.logs': getLogs,
  'containers.exec': execute,
  'containers.attach': attach,
  'operations.get': getOperation,
  'operations.list': listOperations,
  'locations.usages': listUsages,
  'locations.capabilities': listCapabilities,
  'locations.cachedImages': listCachedImages,
  'resourceGroups.get': getResourceGroup,
  'subscriptions.get': getSubscription,
};
