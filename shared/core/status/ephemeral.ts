import { isJsonObject } from '../json.ts';
import type { ContainerStatus, Pod } from '../kubernetes/pod.ts';

/** As a runtime says it of a container that it could not start. */
const startErrorCode = 128;

const message = 'it was not started: Azure Container Instances can not add a container to a group';

/**
 * Ephemeral containers only ever come late (`kubectl debug`), and a group takes none. Each is shown as one that could not
 * be started, so that who waits for it need not wait for ever.
 */
export function ephemeralStatuses({ rawSpec: { ephemeralContainers } }: Pod): readonly ContainerStatus[] {
  if (!Array.isArray(ephemeralContainers)) return [];
  return ephemeralContainers.flatMap((container) => {
    if (!isJsonObject(container)) return [];
    const { name, image } = container;
    if (typeof name !== 'string') return [];
    return {
      name,
      image: typeof image === 'string' ? image : '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { kind: 'terminated', exitCode: startErrorCode, reason: 'StartError', message },
    };
  });
}

/** What whoever asks for its log is answered; undefined: it is no ephemeral container. */
export const ephemeralSentence = (pod: Pod, container: string): string | undefined =>
  ephemeralStatuses(pod).some(({ name }) => name === container)
    ? `container "${container}" in pod "${pod.metadata.name}" is an ephemeral container; ${message}`
    : undefined;
