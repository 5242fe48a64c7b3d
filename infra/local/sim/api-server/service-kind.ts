/** Services: names for addresses that nothing here routes to; pods see them in their environment. */
import type { JsonObject } from '../../../../shared/core/json.ts';
import { numberAt, objectsAt, specOf, textAt, withDefaults } from './json-access.ts';
import type { FieldFault } from './status-error.ts';
import { invalidValue, required } from './validation.ts';

export function defaultService(service: JsonObject): JsonObject {
  const given = specOf(service);
  const spec = withDefaults(given, {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
    ipFamilyPolicy: 'SingleStack',
    ipFamilies: ['IPv4'],
  });
  const ports = objectsAt(given, 'ports').map((port) =>
    withDefaults(port, { protocol: 'TCP', targetPort: numberAt(port, 'port') }),
  );
  return { ...service, spec: { ...spec, ports } };
}

export function serviceFaults(service: JsonObject): readonly FieldFault[] {
  const spec = specOf(service);
  const ports = objectsAt(spec, 'ports');
  const isPortless = textAt(spec, 'type') === 'ExternalName' || textAt(spec, 'clusterIP') === 'None';
  return [
    ...(ports.length === 0 && !isPortless ? [required('spec.ports')] : []),
    ...ports.flatMap((port, index) => {
      const number = numberAt(port, 'port') ?? 0;
      return [
        ...(number >= 1 && number <= 65_535
          ? []
          : [invalidValue(`spec.ports[${index}].port`, number, 'must be between 1 and 65535, inclusive')]),
        ...(ports.length > 1 && textAt(port, 'name') === '' ? [required(`spec.ports[${index}].name`)] : []),
      ];
    }),
  ];
}
