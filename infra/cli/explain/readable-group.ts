import { readAgentTags } from '../../../shared/core/agent/agent-tags.ts';
import { agentPlaces } from '../../../shared/core/agent/places.ts';
import { tagNames } from '../../../shared/core/group/identity.ts';
import type { GroupBody, GroupVolume } from '../../../shared/core/group/group.ts';
import { isJsonObject } from '../../../shared/core/json.ts';
import type { Json, JsonObject } from '../../../shared/core/json.ts';
import { formatGroup } from '../../../shared/wire/arm/group-request.ts';

/**
 * The body of the PUT for people. Files of which only the place is known are shown as text: as base64 nobody would see that
 * they are none. The agent's orders are the documents that they are.
 */
export function readableGroup(body: GroupBody): JsonObject {
  const { properties, tags: _, ...rest } = formatGroup({ ...body, volumes: [] });
  const orders = ordersVolumes(body);
  const volumes = body.volumes.map((volume) => readableVolume(volume, orders.has(volume.name)));
  return {
    ...rest,
    tags: readableTags(body.tags),
    properties: { ...asObject(properties), ...(volumes.length > 0 && { volumes }) },
  };
}

const asObject = (value: Json | undefined): JsonObject => (value !== undefined && isJsonObject(value) ? value : {});

/** The names of the volumes that hold what the agent reads: `install`, the first, sees all of them. */
function ordersVolumes({ tags, initContainers }: GroupBody): ReadonlySet<string> {
  const mounts = readAgentTags(tags) === undefined ? [] : (initContainers[0]?.volumeMounts ?? []);
  const isOrders = (path: string): boolean =>
    path === agentPlaces.orders || path.startsWith(`${agentPlaces.otherOrders}/`);
  return new Set(mounts.filter(({ mountPath }) => isOrders(mountPath)).map(({ name }) => name));
}

function readableVolume(volume: GroupVolume, isOrders: boolean): JsonObject {
  if (!('secret' in volume)) return { ...volume };
  const read = isOrders ? readableOrders : readableFile;
  return {
    ...volume,
    secret: Object.fromEntries(Object.entries(volume.secret).map(([file, data]) => [file, read(data)])),
  };
}

function readableFile(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  return /^<[^<>]+>$/.test(text) ? text : base64;
}

/** The key that signs reports is a file's content, too. */
function readableOrders(base64: string): Json {
  const orders: Json = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'), (name, value: Json) =>
    name === 'key' && typeof value === 'string' ? readableFile(value) : value,
  );
  return orders;
}

const shownTags: ReadonlySet<string> = new Set([tagNames.tier, tagNames.tierReason]);
const ownTags: ReadonlySet<string> = new Set(Object.values(tagNames).filter((tag) => !shownTags.has(tag)));

/** Our tags name the pod of the live object, and a hash of it; others are as an annotation says. */
const readableTags = (tags: GroupBody['tags']): JsonObject =>
  Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, ownTags.has(tag) ? `<${tag}>` : value]));
