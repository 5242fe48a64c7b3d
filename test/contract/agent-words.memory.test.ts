import { createMemoryAgentWords } from '../../infra/local/sim/memory-agent-words.ts';
import { createMemoryContainerGroups } from '../../infra/local/sim/memory-container-groups.ts';
import { describeAgentWords, place, suiteAnswers } from './agent-words.suite.ts';
import { groupBody, suiteImages } from './container-groups.suite.ts';

describeAgentWords('in memory', async () => {
  const groups = createMemoryContainerGroups({ now: () => 0, images: { [suiteImages.server]: {} } });
  for (const name of ['speaks', 'bare']) groups.addGroup({ name, body: groupBody(suiteImages.server) });
  const words = createMemoryAgentWords(groups);
  words.setAgent(place, {
    drain: suiteAnswers.drain,
    refresh: () => suiteAnswers.refresh,
    status: () => suiteAnswers.status,
  });
  return { words, close: () => Promise.resolve() };
});
