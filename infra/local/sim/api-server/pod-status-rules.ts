/** What the API server refuses in a pod's status, whoever writes it. */
import { isIP } from 'node:net';
import type { JsonObject } from '../../../../shared/core/json.ts';
import { numberAt, objectAt, objectsAt, specOf, statusOf, textAt } from './json-access.ts';
import type { FieldFault } from './status-error.ts';
import { forbiddenValue, invalidValue, unsupportedValue } from './validation.ts';

const phases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];

export function podStatusFaults(before: JsonObject, after: JsonObject): readonly FieldFault[] {
  const status = statusOf(after);
  const phase = textAt(status, 'phase');
  const policy = textAt(specOf(before), 'restartPolicy') || 'Always';
  const sidecars = objectsAt(specOf(before), 'initContainers')
    .filter((container) => textAt(container, 'restartPolicy') === 'Always')
    .map((container) => textAt(container, 'name'));
  return [
    ...(phases.includes(phase) || phase === '' ? [] : [unsupportedValue('status.phase', phase, phases)]),
    ...revived(
      'containerStatuses',
      before,
      after,
      (exitCode) => policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0),
    ),
    ...revived(
      'initContainerStatuses',
      before,
      after,
      (exitCode, name) => sidecars.includes(name) || (policy !== 'Never' && exitCode !== 0),
    ),
    ...addressFaults(status, 'podIP', 'podIPs'),
    ...addressFaults(status, 'hostIP', 'hostIPs'),
  ];
}

/** A container that ended stays so, unless the restart policy lets it begin anew. */
function revived(
  list: string,
  before: JsonObject,
  after: JsonObject,
  mayRestart: (exitCode: number, name: string) => boolean,
): readonly FieldFault[] {
  const statuses = objectsAt(statusOf(after), list);
  return objectsAt(statusOf(before), list).flatMap((old) => {
    const terminated = objectAt(old, 'state')['terminated'];
    const name = textAt(old, 'name');
    if (terminated === undefined || terminated === null) return [];
    const exitCode = numberAt(objectAt(objectAt(old, 'state'), 'terminated'), 'exitCode') ?? 0;
    if (mayRestart(exitCode, name)) return [];
    const index = statuses.findIndex((status) => textAt(status, 'name') === name);
    const state = index === -1 ? undefined : objectAt(statuses[index] ?? {}, 'state');
    return state === undefined || (state['terminated'] !== undefined && state['terminated'] !== null)
      ? []
      : [forbiddenValue(`status.${list}[${index}].state`, 'may not be transitioned to non-terminated state')];
  });
}

/** Addresses are such, and the first of the list is the single one. */
function addressFaults(status: JsonObject, one: string, list: string): readonly FieldFault[] {
  const addresses = objectsAt(status, list).map((entry) => textAt(entry, 'ip'));
  const wrong = addresses.flatMap((ip, index) =>
    isIP(ip) === 0 ? [invalidValue(`status.${list}[${index}]`, ip, 'must be a valid IP address')] : [],
  );
  const [first] = addresses;
  const single = textAt(status, one);
  return first === undefined || first === single
    ? wrong
    : [...wrong, invalidValue(`status.${list}[0].ip`, first, `must be equal to \`${one}\``)];
}
