/** Registers the functions of the app. Nothing else loads here: SDKs come with the first invocation that needs them. */
import './agent-download.ts';
import './kubelet-api.ts';
import './node-heartbeat.ts';
import './pod-events.ts';
import './pod-files.ts';
import './pod-reports.ts';
import './pod-sweep.ts';
