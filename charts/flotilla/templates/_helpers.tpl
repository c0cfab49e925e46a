{{/* Labels of every object. */}}
{{- define "flotilla.labels" -}}
app.kubernetes.io/name: flotilla
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Labels that select the operator's pods. */}}
{{- define "flotilla.operatorSelector" -}}
app.kubernetes.io/name: flotilla
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels that select the tunnel's pods. */}}
{{- define "flotilla.tunnelSelector" -}}
app.kubernetes.io/name: flotilla
app.kubernetes.io/component: tunnel
{{- end }}

{{/* Labels that select the server's pods. */}}
{{- define "flotilla.serverSelector" -}}
app.kubernetes.io/name: flotilla
app.kubernetes.io/component: server
{{- end }}

{{/* Namespace of what the tunnel knows of tenants. */}}
{{- define "flotilla.tunnelNamespace" -}}
{{ .Values.tunnel.namespace | default (printf "%s-tunnel" .Release.Namespace) }}
{{- end }}

{{/* Labels that select the members of the managed etcd. */}}
{{- define "flotilla.etcdSelector" -}}
app.kubernetes.io/name: flotilla
app.kubernetes.io/component: etcd
{{- end }}
