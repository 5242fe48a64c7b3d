import type { GroupEnvironmentVariable } from '../group/group.ts';
import type { ImageConfig } from '../image/image-config.ts';
import { textOf } from '../pod/command.ts';
import { isGroupEnvName } from '../pod/environment.ts';
import type { Environment, LateVariable, Variables } from '../pod/environment.ts';
import type { EnvValue } from '../pod/expansion.ts';
import type { Variable } from './orders.ts';

/** What the agent's own runtime obeys: the group's environment has them empty, and the program gets their values. */
const runtimeNames = ['GODEBUG', 'GOGC', 'GOMAXPROCS', 'GOMEMLIMIT', 'GOTRACEBACK'] as const;

/** An empty secret hides nothing, and whether ACI takes an empty secure value is not known. */
const groupVariable = (name: string, { value, secret }: EnvValue): GroupEnvironmentVariable =>
  secret && value !== '' ? { name, secureValue: value } : { name, value };

/** All of it, where ACI starts the program itself. */
export const groupVariables = (variables: Variables): readonly GroupEnvironmentVariable[] =>
  [...variables].map(([name, value]) => groupVariable(name, value));

export interface SplitEnvironment {
  /** What ACI carries. */
  readonly group: readonly GroupEnvironmentVariable[];
  /** What it can't, in the order in which the agent sets it. */
  readonly orders: readonly Variable[];
}

const ofLate = (late: LateVariable): Variable =>
  'field' in late ? late : { name: late.name, value: textOf(late.value) };

/** What is carried by whom, where the agent starts the program. `added` comes on top of what the pod says nothing of. */
export function splitEnvironment(
  { variables, late }: Environment,
  image: Pick<ImageConfig, 'env'> | undefined,
  added: Readonly<Record<string, string>>,
): SplitEnvironment {
  const lateNames = new Set(late.map(({ name }) => name));
  const ofRuntime = runtimeNames.flatMap((name): readonly Variable[] => {
    const value = variables.get(name)?.value ?? image?.env[name];
    return value === undefined || lateNames.has(name) ? [] : [{ name, value }];
  });
  const isRuntime = new Set<string>(ofRuntime.map(({ name }) => name));
  const known = [...variables].filter(([name]) => !lateNames.has(name) && !isRuntime.has(name));
  const lateRuntime = runtimeNames.filter((name) => lateNames.has(name));
  const odd = known.filter(([name]) => !isGroupEnvName(name));
  return {
    group: [
      ...known.filter(([name]) => isGroupEnvName(name)).map(([name, value]) => groupVariable(name, value)),
      ...[...isRuntime, ...lateRuntime].map((name) => ({ name, value: '' })),
    ],
    orders: [
      ...Object.entries(added).flatMap(([name, value]) => (variables.has(name) ? [] : [{ name, value }])),
      ...odd.map(([name, { value }]) => ({ name, value })),
      ...ofRuntime,
      ...late.map(ofLate),
    ],
  };
}
