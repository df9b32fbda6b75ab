{{/* `gatehouse migrate`, for a Job and for an init container. Both take the root. */}}

{{- define "gatehouse.migrateSources" -}}
{{- include "gatehouse.credentialSources" (dict "root" $ "database" (include "gatehouse.migrationDatabase" $ | fromYaml) "needs" (list)) }}
{{- end }}

{{- define "gatehouse.migrateContainer" -}}
{{- include "gatehouse.container" . }}
args: [migrate]
env:
  {{- include "gatehouse.settingsEnv" (dict "root" . "needs" list) | nindent 2 }}
  {{- include "gatehouse.databaseEnv" (dict "database" (include "gatehouse.migrationDatabase" . | fromYaml)) | nindent 2 }}
  {{- include "gatehouse.extraEnv" (dict "root" . "values" .Values.migration) | nindent 2 }}
resources:
  {{- toYaml .Values.migration.resources | nindent 2 }}
volumeMounts:
  {{- if include "gatehouse.migrateSources" . }}
  - name: migrate-credentials
    mountPath: /run/secrets/gatehouse
    readOnly: true
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The owner's credentials, in pods that migrate before they start. */}}
{{- define "gatehouse.migrateVolume" -}}
{{- if eq .Values.migration.mode "initContainer" }}
{{- with include "gatehouse.migrateSources" . }}
- name: migrate-credentials
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "gatehouse.migrateJobSpec" -}}
{{- $c := dict "root" . "component" "migrate" "values" .Values.migration }}
backoffLimit: {{ .Values.migration.backoffLimit }}
activeDeadlineSeconds: {{ .Values.migration.activeDeadlineSeconds }}
template:
  metadata:
    {{- include "gatehouse.podMetadata" $c | nindent 4 }}
  spec:
    {{- include "gatehouse.podSpec" $c | nindent 4 }}
    restartPolicy: Never
    containers:
      - name: migrate
        {{- include "gatehouse.migrateContainer" . | nindent 8 }}
    volumes:
      {{- with include "gatehouse.migrateSources" . }}
      - name: migrate-credentials
        projected:
          defaultMode: 0440
          sources:
            {{- . | nindent 12 }}
      {{- end }}
      {{- with .Values.extraVolumes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
{{- end }}
