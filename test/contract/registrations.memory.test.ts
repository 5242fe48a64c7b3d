import { createMemoryRegistrations } from '../../shared/adapters/memory/memory-registrations.ts';
import { describeRegistrations } from './registrations.suite.ts';

describeRegistrations('in memory', async () => {
  const registrations = createMemoryRegistrations();
  return { registrations, other: registrations, write: async (text) => registrations.force(text) };
});
