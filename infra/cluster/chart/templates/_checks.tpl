{{/*
What a schema cannot say of the values, all faults at once: the field, and what it should be. Facts of the cluster are
asked for only where there is one (`helm template` has none).
*/}}

{{- define "sk.checks" -}}
{{- $faults := concat
  (include "sk.checks.app" . | fromJsonArray)
  (include "sk.checks.nodes" . | fromJsonArray)
  (include "sk.checks.relay" . | fromJsonArray)
  (include "sk.checks.services" . | fromJsonArray)
  (include "sk.checks.cluster" . | fromJsonArray) -}}
{{- if $faults }}
{{- fail (printf "\n\nThese values cannot work:\n  * %s\n" (join "\n  * " $faults)) }}
{{- end }}
{{- if not (or .Values.image.relay (.Files.Get "files/relay.mjs")) }}
{{- fail "\n\nThis chart has no relay in it (files/relay.mjs): build it with `npm run build`, and use dist/chart." }}
{{- end }}
{{- end }}

{{- define "sk.checks.app" -}}
{{- $faults := list -}}
{{- $url := .Values.app.url -}}
{{- if not $url }}
{{- $faults = append $faults "app.url: give the address of the function app, such as https://NAME.azurewebsites.net" }}
{{- else if not (or (regexMatch "^https://[^/?#\\s]+(/[^?#\\s]*)?$" $url) (regexMatch "^http://(127\\.[0-9.]+|localhost|\\[::1\\])(:[0-9]+)?(/[^?#\\s]*)?$" $url)) }}
{{- $faults = append $faults (printf "app.url: %q is no https:// URL (http:// only on loopback)" $url) }}
{{- else if regexMatch "/api/?$" $url }}
{{- $faults = append $faults (printf "app.url: %q ends with /api, which the relay adds itself; leave it out" $url) }}
{{- end }}
{{- if not .Values.app.audience }}
{{- $faults = append $faults "app.audience: give the audience of the relay's token, as in the cluster's registration with the app (relay.audience)" }}
{{- end }}
{{- if and .Values.app.ca (not (contains "BEGIN CERTIFICATE" .Values.app.ca)) }}
{{- $faults = append $faults "app.ca: a PEM certificate is expected; use --set-file app.ca=FILE" }}
{{- end }}
{{- $principal := .Values.app.principal -}}
{{- if and (ne $principal.kind "ServiceAccount") (not $principal.name) }}
{{- $faults = append $faults (printf "app.principal.name: name the %s that the app is; on AKS with Entra a User whose name is the object id of the app's identity" $principal.kind) }}
{{- end }}
{{- if and (ne $principal.kind "ServiceAccount") $principal.namespace }}
{{- $faults = append $faults (printf "app.principal.namespace: a %s has none; leave it out" $principal.kind) }}
{{- end }}
{{- if and (ne $principal.kind "ServiceAccount") (hasPrefix "system:" $principal.name) }}
{{- $faults = append $faults (printf "app.principal.name: %q is one of Kubernetes' own; the app's rights must not be given to it" $principal.name) }}
{{- end }}
{{ $faults | toJson }}
{{- end }}

{{- define "sk.checks.nodes" -}}
{{- $faults := list -}}
{{- $names := dict -}}
{{- $ports := dict "10248" "the health port" -}}
{{- if not .Values.nodes }}
{{- $faults = append $faults "nodes: name at least one, such as [{name: aci-1, port: 10250}]" }}
{{- end }}
{{- range $index, $node := .Values.nodes }}
{{- $field := printf "nodes[%d]" $index -}}
{{- $port := printf "%d" (int $node.port) -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$" $node.name) }}
{{- $faults = append $faults (printf "%s.name: %q is no node name (lower-case letters, digits, - and ., at most 63)" $field $node.name) }}
{{- end }}
{{- if hasKey $names $node.name }}
{{- $faults = append $faults (printf "%s.name: %q is nodes[%s] already; each name once" $field $node.name (get $names $node.name)) }}
{{- end }}
{{- if hasKey $ports $port }}
{{- $faults = append $faults (printf "%s.port: %s is that of %s already; each port once" $field $port (get $ports $port)) }}
{{- end }}
{{- $_ := set $names $node.name (printf "%d" $index) -}}
{{- $_ := set $ports $port (printf "nodes[%d]" $index) -}}
{{- end }}
{{ $faults | toJson }}
{{- end }}

{{- define "sk.checks.relay" -}}
{{- $faults := list -}}
{{- with .Values.image }}
{{- if and .digest (not (regexMatch "^sha256:[0-9a-f]{64}$" .digest)) }}
{{- $faults = append $faults (printf "image.digest: %q is no digest (sha256: and 64 hexadecimal digits)" .digest) }}
{{- end }}
{{- if not (or .digest .tag) }}
{{- $faults = append $faults "image.tag: give a tag, or image.digest" }}
{{- end }}
{{- if and .relay (not (hasPrefix "/" .relay)) }}
{{- $faults = append $faults (printf "image.relay: %q is no absolute path" .relay) }}
{{- end }}
{{- end }}
{{- if and .Values.kubeletClientCa (not (contains "BEGIN CERTIFICATE" .Values.kubeletClientCa)) }}
{{- $faults = append $faults "kubeletClientCa: a PEM certificate is expected; use --set-file kubeletClientCa=FILE" }}
{{- end }}
{{- with .Values.apiServer.url }}
{{- if not (or (hasPrefix "https://" .) (regexMatch "^http://(127\\.[0-9.]+|localhost|\\[::1\\])(:[0-9]+)?/?$" .)) }}
{{- $faults = append $faults (printf "apiServer.url: %q is no https:// URL; leave it empty for https://kubernetes.default.svc" .) }}
{{- end }}
{{- end }}
{{- $serving := .Values.serving -}}
{{- if and (eq $serving.mode "secret") (not $serving.secretName) }}
{{- $faults = append $faults (printf "serving.secretName: serving.mode secret needs the name of a Secret in namespace %s with tls.crt and tls.key" .Release.Namespace) }}
{{- end }}
{{- if and (eq $serving.mode "certManager") (not $serving.issuerRef.name) }}
{{- $faults = append $faults "serving.issuerRef.name: serving.mode certManager needs the name of an issuer" }}
{{- end }}
{{- if and (ne $serving.mode "certManager") $serving.issuerRef }}
{{- $faults = append $faults (printf "serving.issuerRef: it has no meaning with serving.mode %s; set serving.mode=certManager or leave it out" $serving.mode) }}
{{- end }}
{{ $faults | toJson }}
{{- end }}

{{- define "sk.checks.services" -}}
{{- $faults := list -}}
{{- with .Values.services }}
{{- if and .enabled (not .credentials) }}
{{- $faults = append $faults "services.credentials: name at least one of services-a and services-b; the one that the cluster's registration names must be among them" }}
{{- end }}
{{- end }}
{{ $faults | toJson }}
{{- end }}

{{- define "sk.checks.cluster" -}}
{{- $faults := list -}}
{{- $command := "kubectl get namespace kube-system -o jsonpath='{.metadata.uid}'" -}}
{{- $uid := .Values.clusterUid -}}
{{- $kubeSystem := lookup "v1" "Namespace" "" "kube-system" -}}
{{- if not $uid }}
{{- $faults = append $faults (printf "clusterUid: give the UID of the namespace kube-system: %s" $command) }}
{{- else if not (regexMatch "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$" $uid) }}
{{- $faults = append $faults (printf "clusterUid: %q is no UUID; it is the UID of the namespace kube-system: %s" $uid $command) }}
{{- else if and $kubeSystem (ne (lower $uid) (lower $kubeSystem.metadata.uid)) }}
{{- $faults = append $faults (printf "clusterUid: this cluster is %s, not %s; is the kubeconfig's context the right one?" $kubeSystem.metadata.uid $uid) }}
{{- end }}
{{- $serving := .Values.serving -}}
{{- if and $kubeSystem (eq $serving.mode "secret") $serving.secretName (not (lookup "v1" "Secret" .Release.Namespace $serving.secretName)) }}
{{- $faults = append $faults (printf "serving.secretName: there is no Secret %s in namespace %s; create it first (type kubernetes.io/tls)" $serving.secretName .Release.Namespace) }}
{{- end }}
{{- if $kubeSystem }}
{{- range $index, $node := .Values.nodes }}
{{- $existing := lookup "v1" "Node" "" $node.name -}}
{{- if and $existing (ne (dig "labels" "type" "" $existing.metadata) "virtual-kubelet") }}
{{- $faults = append $faults (printf "nodes[%d].name: the cluster has a Node %s that is no virtual one; choose another name" $index $node.name) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq $serving.mode "certManager") (not (.Capabilities.APIVersions.Has "cert-manager.io/v1")) }}
{{- $faults = append $faults "serving.mode: certManager needs cert-manager, and this cluster does not serve cert-manager.io/v1; install it first (without a cluster: helm template --api-versions cert-manager.io/v1)" }}
{{- end }}
{{- if and (ne .Values.optIn.mode "off") (not (include "sk.mutatingVersion" .)) }}
{{- $faults = append $faults (printf "optIn.mode: %s needs MutatingAdmissionPolicy (Kubernetes 1.36; 1.34 and 1.35 only with admissionregistration.k8s.io/v1beta1 turned on), which is not served here (Kubernetes %s); set optIn.mode=off and give the pods the toleration (without a cluster: helm template --api-versions admissionregistration.k8s.io/v1/MutatingAdmissionPolicy)" .Values.optIn.mode .Capabilities.KubeVersion.Version) }}
{{- end }}
{{ $faults | toJson }}
{{- end }}

{{/* The version of MutatingAdmissionPolicy that the cluster serves; empty where there is none. */}}
{{- define "sk.mutatingVersion" -}}
{{- if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
v1
{{- else if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy" -}}
v1beta1
{{- end -}}
{{- end }}
