import { describe, expect, it } from 'vitest';
import { nodeFacts } from '../../shared/app/node-facts.ts';
import { parseSettings } from '../../shared/wire/settings.ts';
import { defaultDownloadImage } from '../../shared/core/agent/download.ts';
import { appUrlOf } from '../../shared/wire/agent-facts.ts';
import { settingsOf } from '../fixtures/settings.ts';

const identityId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pull';

describe('what the translation knows of a node', () => {
  const environment = {
    ...settingsOf(),
    KEY_OF_AUDIT: 'key',
    REGISTRY_PULL_IDENTITIES: JSON.stringify({ 'bakery.azurecr.io': identityId }),
    LOG_ANALYTICS_WORKSPACES: JSON.stringify({
      audit: { workspaceId: '00000000-0000-4000-8000-000000000001', keySetting: 'KEY_OF_AUDIT' },
    }),
  };
  const parsed = parseSettings(environment);
  const cluster = parsed.ok ? parsed.settings.CLUSTERS[0] : undefined;
  const node = cluster?.nodes[0];
  if (!parsed.ok || cluster === undefined || node === undefined) throw new Error('the settings are wrong');
  const agent = { appUrl: 'https://app.example', packaged: 'a'.repeat(64) };
  const factsOf = (changes: Partial<typeof cluster>) =>
    nodeFacts(parsed.settings, { cluster: { ...cluster, ...changes }, node, environment, agent });

  it('has workspaces with their keys, and who pulls', () => {
    expect(factsOf({})).toMatchObject({
      workspaces: { audit: { workspaceId: '00000000-0000-4000-8000-000000000001', workspaceKey: 'key' } },
      pullIdentities: { 'bakery.azurecr.io': identityId },
    });
  });

  it.each([
    ['is not set', {}],
    ['is empty', { KEY_OF_AUDIT: '' }],
    ['is a reference that Key Vault has not answered', { KEY_OF_AUDIT: '@Microsoft.KeyVault(SecretUri=https://v/s)' }],
  ])('has no key of a workspace whose setting %s', (_, values) => {
    const { KEY_OF_AUDIT: _key, ...others } = environment;
    const { workspaces } = nodeFacts(parsed.settings, {
      cluster,
      node,
      environment: { ...others, ...values },
      agent,
    });
    expect(workspaces?.['audit']).toEqual({ workspaceId: '00000000-0000-4000-8000-000000000001' });
  });

  it("has the cluster's DNS, and its Services with the API server as pods reach it", () => {
    const dns = { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true };
    const services = { clusterCidr: '10.244.0.0/16', credential: 'services-b' as const };
    const secret = { namespace: 'kube-system', name: 'services-b' };
    const { clusterCidr } = services;
    expect(factsOf({ dns, services })).toMatchObject({
      dns,
      services: { clusterCidr, server: 'https://api.example:6443', secret },
    });
    const elsewhere = factsOf({ services, apiServerForPods: { host: 'fd00::1', port: 443 } });
    expect(elsewhere.services).toEqual({ clusterCidr, server: 'https://[fd00::1]:443', secret });
    expect(Object.keys(factsOf({}))).not.toContain('services');
  });

  it('has of the agent what the settings, the package and the address of the app say', () => {
    const image = `registry.example/agent@sha256:${'1'.repeat(64)}`;
    expect(factsOf({}).agent).toEqual({
      mode: 'auto',
      isKeyless: true,
      download: 'auto',
      downloadImage: defaultDownloadImage,
      ...agent,
    });
    const published = parseSettings({ ...environment, AGENT: 'always', AGENT_IMAGE: image, AGENT_DOWNLOAD: 'never' });
    const facts = published.ok && nodeFacts(published.settings, { cluster, node, environment, agent }).agent;
    expect(facts).toMatchObject({ mode: 'always', download: 'never', image });
  });

  it.each([
    [
      'what App Service calls it',
      {},
      { WEBSITE_HOSTNAME: 'kubelet.azurewebsites.net' },
      'https://kubelet.azurewebsites.net',
    ],
    ['what the setting says', { APP_URL: 'https://own.example/' }, { WEBSITE_HOSTNAME: 'x' }, 'https://own.example'],
    ['nowhere on a machine of its own', {}, { WEBSITE_HOSTNAME: 'localhost:7071' }, undefined],
    ['nowhere where nobody says so', {}, {}, undefined],
  ])('is reached at %s', (_, settings, surroundings, url) => {
    expect(appUrlOf(settings, surroundings)).toBe(url);
  });

  it('has the grants of the cluster, and none where it has none', () => {
    const grants = [{ namespace: '*', identities: [], subnets: ['none'], logAnalytics: [], publicAddress: false }];
    expect(factsOf({ grants }).grants).toEqual(grants);
    expect(factsOf({}).grants).toEqual([]);
  });
});
