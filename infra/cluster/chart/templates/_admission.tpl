{{- define "sk.toleration" -}}
Object.spec.tolerations{key: 'virtual-kubelet.io/provider', operator: 'Equal', value: 'azure', effect: 'NoSchedule'}
{{- end }}
