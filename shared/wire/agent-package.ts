import * as z from 'zod';
import { parseJson } from './json-text.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `agent.json` of the agent's package, which `npm run package` writes. */
export const agentPackageSchema = z.object({
  schemaVersion: z.literal(1),
  version: z.string().min(1).max(64),
  /** Of the program. */
  sha256,
  bytes: z.int().min(1),
  image: z.object({
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    tag: z.string().regex(/^[\w][\w.-]{0,127}$/),
  }),
});

export type AgentPackage = z.infer<typeof agentPackageSchema>;

/** Undefined: it is none that this version reads. */
export function parseAgentPackage(text: string): AgentPackage | undefined {
  const parsed = agentPackageSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}
