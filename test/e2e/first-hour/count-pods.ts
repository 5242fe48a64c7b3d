/** Runs in a pod: asks the API server by Kubernetes' own client, as a program does that was never told where it runs. */
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromCluster();
const api = config.makeApiClient(CoreV1Api);
const { items } = await api.listNamespacedPod({ namespace: 'shop', labelSelector: 'job-name=client' });
console.log(`${items.length} pod at ${process.env['KUBERNETES_SERVICE_HOST']}`);
