import {
  V1Container,
  V1ContainerPort,
  V1EnvVarSource,
  V1PodSecurityContext,
  V1PodSpec,
  V1SecurityContext,
  V1Volume,
  V1VolumeMount,
  V1VolumeProjection,
} from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { compatibilityTable, fieldTree } from '../../../shared/core/pod/compatibility.ts';
import type { FieldTree } from '../../../shared/core/pod/compatibility.ts';
import { renderCompatibility } from '../../../shared/core/pod/render-compatibility.ts';
import { golden } from '../../fixtures/golden.ts';

const tree = fieldTree(compatibilityTable);

function find(path: string): FieldTree | undefined {
  let node: FieldTree | undefined = tree;
  for (const segment of path.replaceAll('[]', '.[]').split('.')) node = node?.children.get(segment);
  return node;
}

describe('the compatibility table', () => {
  it.each([
    ['spec', V1PodSpec],
    ['spec.securityContext', V1PodSecurityContext],
    ['spec.containers[]', V1Container],
    ['spec.containers[].securityContext', V1SecurityContext],
    ['spec.containers[].volumeMounts[]', V1VolumeMount],
    ['spec.containers[].ports[]', V1ContainerPort],
    ['spec.containers[].env[].valueFrom', V1EnvVarSource],
    ['spec.initContainers[]', V1Container],
    ['spec.initContainers[].securityContext', V1SecurityContext],
    ['spec.initContainers[].volumeMounts[]', V1VolumeMount],
    ['spec.volumes[]', V1Volume],
    ['spec.volumes[].projected.sources[]', V1VolumeProjection],
  ])('has a verdict on every member of %s that the Kubernetes client knows', (path, model) => {
    const known = model.getAttributeTypeMap().map(({ baseName }) => baseName);
    const missing = known.filter((name) => find(path)?.children.has(name) !== true);
    expect(missing).toEqual([]);
  });

  it('names each field once', () => {
    const paths = compatibilityTable.map(({ path }) => path);
    expect(paths.length).toBe(new Set(paths).size);
  });

  it('has no rule below another, which would never be read', () => {
    const shadowed = compatibilityTable.filter(({ path }) =>
      compatibilityTable.some((other) => path.startsWith(`${other.path}.`) || path.startsWith(`${other.path}[`)),
    );
    expect(shadowed).toEqual([]);
  });

  it('is what docs/compatibility.md says', () => {
    const file = new URL('../../../docs/compatibility.md', import.meta.url);
    const text = renderCompatibility();
    expect(golden(file, text)).toBe(text);
  });
});
