{{/* Names, labels and addresses. Objects of the namespace have fixed names: one release in one namespace. */}}

{{- define "sk.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What selects the relay's pods; it never changes, because a Deployment's selector can not. */}}
{{- define "sk.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/component: relay
{{- end }}

{{- define "sk.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end -}}
{{- end }}

{{- define "sk.servingSecret" -}}
{{ .Values.serving.secretName | default "relay" }}
{{- end }}

{{/* The Service's address as far as it is known: given, or that of the Service that is there already. */}}
{{- define "sk.clusterIP" -}}
{{- if .Values.service.clusterIP -}}
{{ .Values.service.clusterIP }}
{{- else -}}
{{- $service := lookup "v1" "Service" .Release.Namespace "relay" -}}
{{- if $service }}{{ $service.spec.clusterIP }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "sk.dnsNames" -}}
{{- $name := printf "relay.%s" .Release.Namespace -}}
{{ list (printf "%s.svc" $name) (printf "%s.svc.cluster.local" $name) | toJson }}
{{- end }}

{{/* Whether the app is a ServiceAccount that the chart creates. */}}
{{- define "sk.ownsAppAccount" -}}
{{- $principal := .Values.app.principal -}}
{{- if and (eq $principal.kind "ServiceAccount") (not $principal.name) }}true{{ end -}}
{{- end }}

{{- define "sk.appSubject" -}}
{{- $principal := .Values.app.principal -}}
{{- if eq $principal.kind "ServiceAccount" -}}
kind: ServiceAccount
name: {{ $principal.name | default "app" }}
namespace: {{ $principal.namespace | default .Release.Namespace }}
{{- else -}}
apiGroup: rbac.authorization.k8s.io
kind: {{ $principal.kind }}
name: {{ $principal.name | quote }}
{{- end -}}
{{- end }}

{{/* The names of the nodes, as a JSON list. */}}
{{- define "sk.nodeNames" -}}
{{- $names := list -}}
{{- range .Values.nodes }}{{ $names = append $names .name }}{{ end -}}
{{ $names | toJson }}
{{- end }}

{{/* The Secrets with the token by which ACI's kube-proxy reads Services, as a JSON list; empty: there is no such account. */}}
{{- define "sk.servicesCredentials" -}}
{{- $credentials := list -}}
{{- with .Values.services }}{{ if .enabled }}{{ $credentials = .credentials }}{{ end }}{{ end -}}
{{ $credentials | toJson }}
{{- end }}
