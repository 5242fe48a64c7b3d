import { createMemoryRegistrations } from '../../infra/local/sim/memory-registrations.ts';
import { describeRegistrations } from './registrations.suite.ts';

describeRegistrations('in memory', async () => {
  const registrations = createMemoryRegistrations();
  return { registrations, other: registrations, write: async (text) => registrations.force(text) };
});
