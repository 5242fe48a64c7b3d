{{/* What the Deployment and the drain have in common: how the relay runs, what it is given, where its files are. */}}

{{- define "sk.config" -}}
{{- $folder := "/etc/relay" -}}
{{- $app := dict "url" (trimSuffix "/" .Values.app.url) "tokenFile" "/var/run/secrets/app/token" -}}
{{- if .Values.app.ca }}{{ $_ := set $app "caFile" (printf "%s/app-ca.crt" $folder) }}{{ end -}}
{{- $nodes := list -}}
{{- range .Values.nodes }}{{ $nodes = append $nodes (dict "name" .name "port" (int .port)) }}{{ end -}}
{{- $serving := dict "certFile" (printf "%s/serving/tls.crt" $folder) "keyFile" (printf "%s/serving/tls.key" $folder) -}}
{{- $ca := ternary (printf "%s/kubelet-client-ca.crt" $folder) "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt" (not (empty .Values.kubeletClientCa)) -}}
{{- $config := dict
  "clusterUid" .Values.clusterUid
  "app" $app
  "nodes" $nodes
  "serving" $serving
  "kubeletClientCaFile" $ca
  "health" (dict "address" "0.0.0.0" "port" 10248)
  "leaderElection" (dict "namespace" .Release.Namespace "name" "relay") -}}
{{- with .Values.installation }}{{ $_ := set $config "installation" . }}{{ end -}}
{{- if .Values.aci.ca }}{{ $_ := set $config "aci" (dict "caFile" (printf "%s/aci-ca.crt" $folder)) }}{{ end -}}
{{- if .Values.apiServer.url }}{{ $_ := set $config "apiServer" (dict "url" .Values.apiServer.url) }}{{ end -}}
{{ $config | toPrettyJson }}
{{- end }}

{{- define "sk.configData" -}}
config.json: |
  {{- include "sk.config" . | nindent 2 }}
{{- with .Values.kubeletClientCa }}
kubelet-client-ca.crt: {{ . | quote }}
{{- end }}
{{- with .Values.app.ca }}
app-ca.crt: {{ . | quote }}
{{- end }}
{{- with .Values.aci.ca }}
aci-ca.crt: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "sk.bundlePath" -}}
{{ .Values.image.relay | default "/opt/relay/relay.mjs" }}
{{- end }}

{{/* Small before fast: most of the relay's work is waiting. As `relayNodeFlags` has them; a test holds them together. */}}
{{- define "sk.command" -}}
["node", "--max-semi-space-size=1", "--max-old-space-size=128", "--lite-mode", {{ include "sk.bundlePath" . | quote }}]
{{- end }}

{{/* What every pod of the chart has, but for containers, volumes and its account. */}}
{{- define "sk.pod" -}}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
nodeSelector:
  kubernetes.io/os: linux
  {{- with omit .Values.nodeSelector "kubernetes.io/os" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        # A virtual node needs the relay to run pods, and so must not run the relay.
        - matchExpressions:
            - key: type
              operator: NotIn
              values: [virtual-kubelet]
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "sk.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "sk.bundleMount" -}}
{{- if not .Values.image.relay }}
- name: bundle
  mountPath: /opt/relay
  readOnly: true
{{- end }}
- name: config
  mountPath: /etc/relay
  readOnly: true
{{- end }}

{{- define "sk.bundleVolume" -}}
{{- if not .Values.image.relay }}
- name: bundle
  configMap:
    name: relay-bundle
{{- end }}
{{- end }}

{{/* The rights of the drain: there only while it runs. */}}
{{- define "sk.drainHook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: '-10'
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end }}
