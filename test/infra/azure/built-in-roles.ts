/** Azure's own roles that the Bicep files may assign, by the names of the variables that hold their ids. */
export const builtInRoles: Readonly<Record<string, string>> = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d',
  blobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6',
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  tableDataReader: '76199698-9eea-4c19-bc75-cec21354c6b6',
};
