import { afterAll, beforeAll, describe } from 'vitest';
import { describeApp } from './cluster/app.suite.ts';
import { describeControllers } from './cluster/controllers.suite.ts';
import { describeDeletion } from './cluster/deletion.suite.ts';
import type { ClusterUnderTest } from './cluster/harness.ts';
import { describeHttp } from './cluster/http.suite.ts';
import type { HttpClusterUnderTest } from './cluster/http-cluster.ts';
import { describeNodes } from './cluster/nodes.suite.ts';
import { describePods } from './cluster/pods.suite.ts';
import { describeReferences } from './cluster/references.suite.ts';

/**
 * What `NodeApi` and `ClusterApi` promise, in sentences that hold in memory, over HTTP and on a real control plane. One
 * cluster for all of them, since a real one takes its time: every row has names of its own.
 */
export function describeCluster(name: string, open: () => Promise<ClusterUnderTest>): void {
  describe(`the cluster: ${name}`, () => {
    describePorts(shared(open));
  });
}

/** The same, and what only HTTP has. */
export function describeHttpCluster(name: string, open: () => Promise<HttpClusterUnderTest>): void {
  describe(`the cluster: ${name}`, () => {
    const opened = shared(open);
    describePorts(opened, () => describeHttp(opened));
  });
}

function describePorts(opened: () => ClusterUnderTest, describeMore: () => void = () => undefined): void {
  describeNodes(opened);
  describePods(opened);
  describeDeletion(opened);
  describeReferences(opened);
  describeMore();
  describeApp(opened);
  describeControllers(opened);
}

function shared<T extends ClusterUnderTest>(open: () => Promise<T>): () => T {
  let cluster: T;
  beforeAll(async () => {
    cluster = await open();
  });
  afterAll(async () => {
    await cluster?.close();
  });
  return () => cluster;
}
