import { createMemoryKeptLogs } from '../../infra/local/sim/memory-kept-logs.ts';
import { describeKeptLogs } from './kept-logs.suite.ts';

describeKeptLogs('in memory', async () => {
  const logs = createMemoryKeptLogs();
  return { logs, other: logs };
});
