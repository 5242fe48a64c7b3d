import { plantedSecret } from './life.ts';
import { withAgents } from './variants/agents.ts';
import { deletedEarly } from './variants/deleted.ts';
import type { Variant } from './variants/hands.ts';
import { losingThings } from './variants/lost.ts';
import { undisturbed } from './variants/undisturbed.ts';

/** Each with the Secret that its pods read, until all is at rest. */
export const variants: readonly Variant[] = [...undisturbed, ...deletedEarly, ...losingThings, ...withAgents].map(
  (variant) => ({
    ...variant,
    live: async (life) => {
      life.world.cluster.references.putSecret({ namespace: 'default', name: 's' }, { token: plantedSecret });
      await variant.live(life);
      await life.finish();
    },
  }),
);

export const findVariant = (name: string): Variant | undefined => variants.find((variant) => variant.name === name);
