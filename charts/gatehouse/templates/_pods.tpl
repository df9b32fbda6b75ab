{{/* What the pods of all components have in common. */}}

{{/* Takes (dict "root" $ "component" "serve" "values" .Values.serve). */}}
{{- define "gatehouse.podMetadata" -}}
labels:
  {{- $labels := include "gatehouse.labels" . | fromYaml }}
  {{- if has .component (list "serve" "worker" "operator") }}
  {{- $_ := set $labels "gatehouse.dev/operations" "true" }}
  {{- end }}
  {{- merge $labels .root.Values.podLabels | toYaml | nindent 2 }}
{{- with .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Takes (dict "root" $ "component" "serve" "values" .Values.serve). */}}
{{- define "gatehouse.podSpec" -}}
serviceAccountName: {{ include "gatehouse.serviceAccountName" . }}
automountServiceAccountToken: {{ .values.serviceAccount.automountServiceAccountToken }}
# Kubernetes would add variables for each Service of the namespace.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{- toYaml . | nindent 4 }}
    {{- if not .labelSelector }}
    labelSelector:
      matchLabels:
        {{- include "gatehouse.selectorLabels" $ | nindent 8 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Image and rights of a container. Takes the root. */}}
{{- define "gatehouse.container" -}}
image: {{ include "gatehouse.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Variables of the values, last, so that they win. Takes (dict "root" $ "values" .Values.serve). */}}
{{- define "gatehouse.extraEnv" -}}
{{- with concat .root.Values.extraEnv .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The three probes, each with its own question. Takes the component's values. */}}
{{- define "gatehouse.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: operations }
  {{- toYaml .startupProbe | nindent 2 }}
readinessProbe:
  httpGet: { path: /readyz, port: operations }
  {{- toYaml .readinessProbe | nindent 2 }}
livenessProbe:
  httpGet: { path: /livez, port: operations }
  {{- toYaml .livenessProbe | nindent 2 }}
{{- end }}

{{/*
Mounts and volumes. Takes (dict "root" $ "sources" <text of gatehouse.credentialSources> "config" true).
"config": clients and APIs of the values, and the Secret with client secrets.
*/}}
{{- define "gatehouse.volumeMounts" -}}
{{- if .sources }}
- name: credentials
  mountPath: /run/secrets/gatehouse
  readOnly: true
{{- end }}
{{- if and .config (or .root.Values.clients .root.Values.apis) }}
- name: config
  mountPath: /etc/gatehouse/config
  readOnly: true
{{- end }}
{{- if and .config .root.Values.clientSecrets.existingSecret.name }}
- name: client-secrets
  mountPath: /run/secrets/gatehouse-clients
  readOnly: true
{{- end }}
{{- with .root.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "gatehouse.volumes" -}}
{{- if .sources }}
- name: credentials
  projected:
    defaultMode: 0440
    sources:
      {{- .sources | nindent 6 }}
{{- end }}
{{- if and .config (or .root.Values.clients .root.Values.apis) }}
- name: config
  configMap:
    name: {{ include "gatehouse.fullname" .root }}-config
{{- end }}
{{- if .config }}
{{- with .root.Values.clientSecrets.existingSecret.name }}
- name: client-secrets
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
