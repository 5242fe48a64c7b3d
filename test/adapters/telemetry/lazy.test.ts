/** A cold start pays for telemetry only where it is configured. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');

/** Packages that load with a file, by way of its static imports; types do not count. */
function packagesOf(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return new Set();
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const targets = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'|^import '([^']+)'/gm)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  return new Set(
    targets.flatMap((target) =>
      target.startsWith('.') ? [...packagesOf(join(dirname(file), target), seen)] : [target],
    ),
  );
}

const ofTelemetry = (packages: ReadonlySet<string>): readonly string[] =>
  [...packages].filter((name) => /opentelemetry/.test(name));

describe('OpenTelemetry', () => {
  it.each([
    'functions/index.ts',
    'shared/app/compose.ts',
    'shared/app/handle-pod-events.ts',
    'infra/cluster/relay/main.ts',
  ])('does not load with %s', (file) => {
    const packages = packagesOf(join(root, file));
    expect(packages.size).toBeGreaterThan(0);
    expect(ofTelemetry(packages)).toEqual([]);
  });
  it('would be found', () => {
    const pipeline = packagesOf(join(root, 'shared/adapters/telemetry/pipeline.ts'));
    expect(ofTelemetry(pipeline).length).toBeGreaterThan(0);
  });
});
