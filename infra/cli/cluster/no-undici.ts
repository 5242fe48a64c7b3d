/**
 * Stands in for undici in the bundle of the command line (`rolldown.config.ts`): undici 8 wants Node 22, and of
 * @kubernetes/client-node only its KubeConfig is used, for requests that go by node:https. Half of the SDK's weight.
 */
function refuse(): never {
  throw new Error('the command line sends its requests by node:https');
}

export { refuse as Agent, refuse as ProxyAgent, refuse as fetch };
