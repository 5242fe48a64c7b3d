import type { ContainerRuntime, ImageFault, PulledImage } from '../runtime.ts';
import type { ImageStore } from './image-store.ts';
import { credentialFor, imageFault, normalizeImage } from './reference.ts';

const pullTimeoutMs = 300_000;

/**
 * Finds images in the store, then in their registries. Groups that ask for the same image with the same credential at
 * once share one answer; what was found is remembered, what failed is asked again.
 */
export function createPuller(images: ImageStore, timeoutMs = pullTimeoutMs): ContainerRuntime['pullImage'] {
  const answers = new Map<string, Promise<PulledImage | ImageFault>>();
  const pull = async (
    image: string,
    credential: ReturnType<typeof credentialFor>,
  ): Promise<PulledImage | ImageFault> => {
    const stored = await images.find(image);
    if (stored !== undefined) return { kind: 'pulled', digest: stored.digest };
    const failure = await images.pull(image, { credential, timeoutMs });
    if (failure !== undefined) return imageFault(image, failure);
    const pulled = await images.find(image);
    return pulled === undefined
      ? imageFault(image, 'not found after the pull')
      : { kind: 'pulled', digest: pulled.digest };
  };
  return async (name, credentials) => {
    const image = normalizeImage(name);
    const credential = credentialFor(image, credentials);
    const key = JSON.stringify([image, credential?.username, credential?.password]);
    const answer = answers.get(key) ?? pull(image, credential);
    answers.set(key, answer);
    try {
      const result = await answer;
      if (result.kind === 'image-fault') answers.delete(key);
      return result;
    } catch (error) {
      answers.delete(key);
      throw error;
    }
  };
}
