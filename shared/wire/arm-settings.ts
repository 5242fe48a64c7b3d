import { defaultArmLimits } from '../core/budget/plan.ts';
import type { ArmLimits } from '../core/budget/plan.ts';
import type { Settings } from './settings.ts';

/** What the settings say that ARM and ACI allow. */
export function armLimits(settings: Pick<Settings, 'ACI_CREATES_PER_5_MINUTES' | 'ACI_CREATES_PER_HOUR'>): ArmLimits {
  return {
    ...defaultArmLimits,
    createsPer5Minutes: settings.ACI_CREATES_PER_5_MINUTES,
    createsPerHour: settings.ACI_CREATES_PER_HOUR,
    deletesPer5Minutes: settings.ACI_CREATES_PER_5_MINUTES,
    deletesPerHour: settings.ACI_CREATES_PER_HOUR,
  };
}

/** Where the container groups are, as the settings name it. */
export const armPlace = (settings: Settings) => ({
  subscriptionId: settings.AZURE_SUBSCRIPTION_ID,
  resourceGroup: settings.AZURE_RESOURCE_GROUP,
  location: settings.AZURE_LOCATION,
  endpoint: settings.ARM_ENDPOINT,
});
