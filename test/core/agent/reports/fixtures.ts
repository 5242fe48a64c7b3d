import { agentTags } from '../../../../shared/core/agent/agent-tags.ts';
import { hear, newMemory } from '../../../../shared/core/agent/reports/memory.ts';
import type { AgentMemory } from '../../../../shared/core/agent/reports/memory.ts';
import type { AgentReport, AgentState, ProgramEnd } from '../../../../shared/core/agent/reports/report.ts';
import { noon } from '../../../fixtures/pods.ts';

export const key = { kid: 'r1', nonce: 'n1' };
/** Of a group whose agents have that key. */
export const tags = agentTags({ digest: `sha256:${'1'.repeat(64)}`, ...key });

/** Ms of `at(seconds)`. */
export const ms = (seconds: number): number => noon + seconds * 1000;

export const ended = (exitCode: number, from: number, to: number, more: Partial<ProgramEnd> = {}): ProgramEnd => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: ms(from),
  finishedAt: ms(to),
  ...more,
});

export const runs = (from: number, more: Partial<AgentState> = {}): AgentState => ({
  phase: 'running',
  startedAt: ms(from),
  started: true,
  ready: true,
  restarts: 0,
  final: false,
  ...more,
});

export const over = (end: ProgramEnd, more: Partial<AgentState> = {}): AgentState => ({
  phase: 'ended',
  startedAt: end.startedAt ?? end.finishedAt,
  started: false,
  ready: false,
  restarts: 0,
  final: true,
  ended: end,
  ...more,
});

export const report = (state: AgentState, more: Partial<AgentReport> = {}): AgentReport => ({
  container: 'main',
  bootId: '019ad1c0ffee-00000001',
  number: 1,
  sentAt: noon,
  state,
  events: [],
  ...more,
});

/** What the row has after these reports, in their order. */
export const memoryAfter = (reports: readonly AgentReport[], expected: readonly string[] = ['main']): AgentMemory =>
  reports.reduce<AgentMemory>((memory, one) => hear(memory, one, expected.length) ?? memory, newMemory(key, expected));
