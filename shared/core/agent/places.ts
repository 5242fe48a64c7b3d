/** Where things of the agent are in containers (infra/agent/README.md, Folders). None is inside another. */
export const agentPlaces = {
  /** The program and its links. */
  program: '/.sk',
  /** Records of all containers. */
  state: '/.sk-run',
  /** A container's own orders, and those of `install`. */
  orders: '/.sk-orders',
  /** A volume that `install` prepares, or of which a container mounts a part; a number follows. */
  volume: '/.sk-v',
  /** In `install` the orders of a container; a number follows. */
  otherOrders: '/.sk-o',
} as const;

/** The file of a volume of orders. */
export const ordersFile = 'orders';

/** Where `install` and the containers see a volume of the group by its number. */
export const volumePlace = (index: number): string => `${agentPlaces.volume}/${index}`;

/** In the agent's image. */
export const imageProgram = '/sk';

/** What a container is started with. */
export const runCommand: readonly string[] = [`${agentPlaces.program}/sk`, 'run'];

/** What ACI's exec starts: the agent by the names of its links. */
export const agentWords = {
  /** A command in the container, or its program's input and output. */
  exec: `${agentPlaces.program}/x`,
  /** Connections to ports of the group. */
  forward: `${agentPlaces.program}/f`,
} as const;
