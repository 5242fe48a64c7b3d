import { z } from 'zod';
import { aci, frontDoor, isFault } from './errors.ts';
import type { ArmFault } from './errors.ts';
import { isTransitioning } from './group-state.ts';
import type { GroupEntry } from './group-store.ts';
import { findGroup } from './handlers-group.ts';
import { parseJson } from './json.ts';
import { reply } from './state.ts';
import type { ArmCall, EmulatorState, HandlerAnswer } from './state.ts';

const side = z.number().int().min(1).max(65_535);
const execBody = z.object({
  command: z.string().regex(/\S/),
  /** The specification has it optional; what a terminal without it has is not known. */
  terminalSize: z.object({ rows: side, cols: side }).default({ rows: 24, cols: 80 }),
});

/** POST exec: 200 with an address and its password, whatever the container does; the rest is said there. */
export function execute(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const target = findContainer(state, call);
  if (isFault(target)) return target;
  const parsed = execBody.safeParse(parseJson(call.request.body)?.value);
  if (!parsed.success) return contentFault(parsed.error);
  const { command, terminalSize } = parsed.data;
  const size = { rows: terminalSize.rows, columns: terminalSize.cols };
  return reply(200, state.exec.invite({ kind: 'exec', ...target, command, size }));
}

/** POST attach: 200 likewise. It has no body. */
export function attach(state: EmulatorState, call: ArmCall): HandlerAnswer {
  const target = findContainer(state, call);
  return isFault(target) ? target : reply(200, state.exec.invite({ kind: 'attach', ...target }));
}

function findContainer(
  state: EmulatorState,
  call: ArmCall,
): { readonly group: GroupEntry; readonly container: string } | ArmFault {
  const group = findGroup(state, call);
  if (isFault(group)) return group;
  const { container = '' } = call.params;
  if (!group.status.containers.has(container)) return aci.containerNotFound(container, group.name);
  if (isTransitioning(group.status) || group.halting) return aci.transitioning(group.name);
  return group.status.stopped ? aci.stopped(group.name) : { group, container };
}

function contentFault(error: z.ZodError): ArmFault {
  const path = error.issues[0]?.path.join('.') ?? '';
  return frontDoor.invalidContent(
    path === '' ? 'Unexpected character encountered while parsing value' : `Error converting value. Path '${path}'`,
  );
}
