/**
 * One worker process: loads the app as the Node worker of Azure Functions does and serves the invocations that the host
 * sends. Started only by the host, over an IPC channel; it ends when the channel does, so that no worker outlives its host.
 */
import { installCoreModule, loadApp } from './app-loader.ts';
import { createCoreApi, WorkerApp } from './core-api.ts';
import { failureOf } from './core-model.ts';
import { invoke } from './invocation.ts';
import { isHostMessage } from './protocol.ts';
import type { HostMessage, WorkerMessage } from './protocol.ts';

/** What the worker offers to the library, all on, as the worker on Azure does. */
const CAPABILITIES = [
  'RawHttpBodyBytes',
  'RpcHttpTriggerMetadataRemoved',
  'RpcHttpBodyOnly',
  'IgnoreEmptyValuedRpcHttpHeaders',
  'UseNullableValueDictionaryForHttp',
  'WorkerStatus',
  'TypedDataCollection',
  'HandlesWorkerTerminateMessage',
];

function send(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) {
      resolve();
      return;
    }
    process.send(message, undefined, {}, () => resolve());
  });
}

async function start(app: WorkerApp): Promise<void> {
  const appRoot = process.env['AzureWebJobsScriptRoot'] ?? process.cwd();
  process.chdir(appRoot);
  installCoreModule(createCoreApi(app));
  await loadApp(app, appRoot, process.argv[2]);
  await app.hooks.run('appStart', app.hooks.appContext({ functionAppDirectory: appRoot }));
  const capabilities = Object.fromEntries(CAPABILITIES.map((name) => [name, 'true']));
  const offered = (await app.model?.getCapabilities(capabilities)) ?? {};
  if (offered['HttpUri'] !== undefined)
    throw new Error(
      'The app asks for HTTP streaming (app.setup({ enableHttpStream: true })), which the local Functions host does not serve.',
    );
  app.lock();
  await send({ type: 'ready', functions: app.describe() });
}

async function terminate(app: WorkerApp): Promise<never> {
  try {
    await app.hooks.run('appTerminate', app.hooks.appContext());
  } catch (thrown) {
    app.log('error', 'system', `appTerminate hook failed: ${failureOf(thrown).message}`);
  }
  process.exit(0);
}

async function serve(app: WorkerApp, message: HostMessage): Promise<void> {
  switch (message.type) {
    case 'invoke':
      await send(await invoke(app, message));
      return;
    case 'terminate':
      await terminate(app);
  }
}

const app = new WorkerApp((message) => void send(message));
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the host decides when its workers end.
process.on('SIGINT', () => undefined);
process.on('message', (message: unknown) => {
  if (isHostMessage(message)) void serve(app, message);
});
try {
  await start(app);
} catch (thrown) {
  await send({ type: 'failed', message: failureOf(thrown).message });
  process.exit(1);
}
