import type { Pod } from '../kubernetes/pod.ts';

/**
 * How often the same event is written. The API server drops an event an hour after its last writing, so what lasts is
 * written again: the same object, with a higher count, a later time and its newest wording.
 */
export type Repetition =
  /** Once in the life of the pod. */
  | 'once'
  /** With whatever work the trouble causes anyway, at most once in a quarter of an hour. */
  | 'while-it-lasts'
  /** When it has happened again, with the number of times; at most once in a quarter of an hour. */
  | 'each-time';

export interface ContainerRef {
  readonly member: 'containers' | 'initContainers';
  readonly name: string;
}

/** What is reported one pod. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from the kubelet's own list where one fits. */
  readonly reason: string;
  /** One sentence for a person; never a secret. */
  readonly message: string;
  readonly repetition: Repetition;
  /** The container that it is about. */
  readonly container?: ContainerRef;
  /** How often it has happened so far, where that is known. */
  readonly count?: number;
  /** RFC 3339: when it happened, where that is known. */
  readonly at?: string;
}

/** As a kubelet points at a container: `spec.containers{main}`. */
export const fieldPath = ({ member, name }: ContainerRef): string => `spec.${member}{${name}}`;

export interface NamedContainer extends ContainerRef {
  /** As the user wrote it. */
  readonly image: string;
}

/** In the order in which they start. */
export const containersOf = ({ spec }: Pick<Pod, 'spec'>): readonly NamedContainer[] =>
  (['initContainers', 'containers'] as const).flatMap((member) =>
    spec[member].map(({ name, image }) => ({ member, name, image })),
  );
