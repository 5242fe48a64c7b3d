{{- define "sk.toleration" -}}
{'key': 'virtual-kubelet.io/provider', 'operator': 'Equal', 'value': 'azure', 'effect': 'NoSchedule'}
{{- end }}
