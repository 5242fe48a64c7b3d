import * as z from 'zod';
import type { GroupEvent, GroupObservation, ListedGroup, ObservedContainer } from '../../core/group/group.ts';

/**
 * What ARM shows of container groups (docs/aci.md, Requests). Properties that may be missing get the value that means the same;
 * a body without what ARM promises (`name`, `properties`, `containers`) is refused: it would be read as a group that
 * has lost its containers.
 */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);

const tags = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

const event = z.object({
  name: text,
  message: text,
  type: text,
  count: z
    .number()
    .nullish()
    .transform((value) => value ?? 1),
  firstTimestamp: text,
  lastTimestamp: text,
});

/** Their order is not to be relied on (docs/aci.md, Requests): oldest first. */
const events = list(event).transform((value): readonly GroupEvent[] =>
  value.toSorted((a, b) => a.firstTimestamp.localeCompare(b.firstTimestamp)),
);

const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value): z.output<T> | undefined => value ?? undefined);

const containerState = z
  .object({
    state: text,
    startTime: optional(z.string()),
    finishTime: optional(z.string()),
    exitCode: optional(z.int()),
    detailStatus: text,
  })
  .transform(defined);

const instanceView = z
  .object({
    restartCount: z
      .int()
      .nullish()
      .transform((value) => value ?? 0),
    currentState: optional(containerState),
    previousState: optional(containerState),
    events,
  })
  .transform(defined);

const container = z
  .object({ name: z.string(), properties: z.object({ image: text, instanceView: optional(instanceView) }) })
  .transform(({ name, properties }): ObservedContainer => defined({ name, ...properties }));

const observation = z
  .object({
    name: z.string().min(1),
    tags,
    properties: z.object({
      provisioningState: text,
      restartPolicy: z
        .string()
        .nullish()
        .transform((value) => value ?? 'Always'),
      instanceView: optional(z.object({ state: text, events })),
      ipAddress: optional(z.object({ ip: optional(z.string()) })),
      containers: z.array(container),
      initContainers: list(container),
    }),
  })
  .transform(({ name, tags, properties }): GroupObservation => {
    const { instanceView, ipAddress, ...rest } = properties;
    const state = { state: instanceView?.state ?? '', events: instanceView?.events ?? [] };
    return defined({ name, tags, ...rest, ...state, ip: ipAddress?.ip });
  });

const cores = z.object({ properties: z.object({ resources: z.object({ requests: z.object({ cpu: z.number() }) }) }) });

const listedGroup = z
  .object({
    name: z.string().min(1),
    tags,
    properties: z.object({ provisioningState: text, containers: list(z.union([cores, z.unknown()])) }),
  })
  .transform(({ name, tags, properties }): ListedGroup => {
    const cpu = properties.containers.reduce<number>((sum, item) => {
      const parsed = cores.safeParse(item);
      return sum + (parsed.success ? parsed.data.properties.resources.requests.cpu : 0);
    }, 0);
    return { name, tags, provisioningState: properties.provisioningState, cpu };
  });

const page = z.object({ value: z.array(listedGroup), nextLink: optional(z.string().min(1)) });

export interface GroupPage {
  readonly value: readonly ListedGroup[];
  readonly nextLink: string | undefined;
}

/** Undefined: not what ARM promises. */
export const parseGroup = (body: unknown): GroupObservation | undefined => observation.safeParse(body).data;
export const parseGroupPage = (body: unknown): GroupPage | undefined => page.safeParse(body).data;

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out the properties that are undefined. */
function defined<T extends object>(value: T): Defined<T>;
function defined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}
