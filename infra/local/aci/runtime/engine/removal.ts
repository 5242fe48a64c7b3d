import pLimit from 'p-limit';
import { z } from 'zod';
import { isAbsent } from './client.ts';
import type { EngineClient } from './client.ts';
import { inspectContainer } from './exits.ts';
import { parallelCalls, pauseLabel, sandboxLabel, stateLabel } from './requests.ts';

const listed = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullish() }));

/** Removes the containers of a sandbox, or of the whole state folder; those that hold namespaces go last. Gives their ids. */
export async function removeContainers(client: EngineClient, key: string, sandboxId?: string): Promise<string[]> {
  const label = [`${stateLabel}=${key}`, ...(sandboxId === undefined ? [] : [`${sandboxLabel}=${sandboxId}`])];
  const filters = encodeURIComponent(JSON.stringify({ label }));
  const all = await client.json(listed, { method: 'GET', path: `/containers/json?all=1&filters=${filters}` });
  const turn = pLimit(parallelCalls);
  for (const last of [false, true]) {
    const batch = all.filter((container) => pauseLabel in (container.Labels ?? {}) === last);
    await Promise.all(batch.map((container) => turn(() => removeContainer(client, container.Id))));
  }
  return all.map((container) => container.Id);
}

/** Kills and removes a container. Gives its id, or undefined when there is none. */
export async function removeContainer(client: EngineClient, nameOrId: string): Promise<string | undefined> {
  try {
    const { Id: id } = await inspectContainer(client, nameOrId);
    await client.send({ method: 'DELETE', path: `/containers/${id}?force=true&v=true` }, [404]);
    return id;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
