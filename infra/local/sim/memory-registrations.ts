import { fail, ok } from '../../../shared/core/fault.ts';
import type { Fault } from '../../../shared/core/fault.ts';
import type { Registrations } from '../../../shared/ports/registrations.ts';
import { formatRegistrations, parseRegistrations } from '../../../shared/wire/settings.ts';

/** Registrations in memory, for tests. Same rules, same contract suite. */
export interface MemoryRegistrations extends Registrations {
  /** Puts any text there, as an operator could; undefined takes the document away. */
  force(text: string | undefined): void;
  /** While set, every call fails with it. */
  fault: Fault | undefined;
}

export function createMemoryRegistrations(): MemoryRegistrations {
  let current: { readonly etag: string; readonly text: string } | undefined;
  let written = 0;
  const force = (text: string | undefined): string => {
    const etag = `"${(written += 1)}"`;
    current = text === undefined ? undefined : { etag, text };
    return etag;
  };
  const memory: MemoryRegistrations = {
    fault: undefined,
    force: (text) => void force(text),
    get: async (known) => {
      if (memory.fault !== undefined) return fail(memory.fault);
      if (current === undefined) return ok({ kind: 'read', etag: undefined, clusters: [] });
      if (current.etag === known) return ok({ kind: 'unchanged' });
      const parsed = parseRegistrations(current.text);
      if (parsed.ok) return ok({ kind: 'read', etag: current.etag, clusters: parsed.clusters });
      const message = parsed.faults.map(({ name, expected }) => `${name}: ${expected}`).join('; ');
      return fail({ kind: 'rejected', code: 'RegistrationsInvalid', message });
    },
    put: async (clusters, etag) => {
      if (memory.fault !== undefined) return fail(memory.fault);
      if (current?.etag !== etag) return fail({ kind: 'conflict', code: 'ConditionNotMet', message: 'changed' });
      return ok(force(formatRegistrations(clusters)));
    },
  };
  return memory;
}
