{{/* The settings and credentials of each kind of process. Credentials are files, never variables. */}}

{{/* Where a Postgres URL and its password are. Takes (dict "database" .Values.database). */}}
{{- define "gatehouse.databaseEnv" -}}
{{- if .database.url }}
- name: GATEHOUSE_DATABASE_URL
  value: {{ .database.url | quote }}
{{- else }}
- name: GATEHOUSE_DATABASE_URL
  value: file:/run/secrets/gatehouse/database/url
{{- end }}
{{- if .database.passwordRef }}
- name: GATEHOUSE_DATABASE_PASSWORD
  value: {{ .database.passwordRef | quote }}
{{- else if .database.existingSecret.keys.password }}
- name: GATEHOUSE_DATABASE_PASSWORD
  value: file:/run/secrets/gatehouse/database/password
{{- end }}
{{- end }}

{{- define "gatehouse.redisEnv" -}}
{{- with .Values.redis }}
{{- if .url }}
- name: GATEHOUSE_REDIS_URL
  value: {{ .url | quote }}
{{- else if .existingSecret.keys.url }}
- name: GATEHOUSE_REDIS_URL
  value: file:/run/secrets/gatehouse/redis/url
{{- end }}
{{- if .passwordRef }}
- name: GATEHOUSE_REDIS_PASSWORD
  value: {{ .passwordRef | quote }}
{{- else if .existingSecret.keys.password }}
- name: GATEHOUSE_REDIS_PASSWORD
  value: file:/run/secrets/gatehouse/redis/password
{{- end }}
{{- end }}
{{- end }}

{{- define "gatehouse.serverSecretsEnv" -}}
- name: GATEHOUSE_SERVER_SECRETS
  value: {{ default "file:/run/secrets/gatehouse/server/secrets" .Values.serverSecrets.ref | quote }}
{{- end }}

{{- define "gatehouse.keysEnv" -}}
- name: GATEHOUSE_KEYS
  value: {{ .Values.keys.store | quote }}
{{- if eq .Values.keys.store "postgres:" }}
- name: GATEHOUSE_KEYS_SECRET
  value: {{ default "file:/run/secrets/gatehouse/keys/secret" .Values.keys.secretRef | quote }}
{{- end }}
{{- end }}

{{/*
The variables of every process: its identity and the settings of the values. Takes (dict "root" $ "needs" (list "redis" …)):
settings about Redis stop a process that has no URL of it.
*/}}
{{- define "gatehouse.settingsEnv" -}}
- name: GATEHOUSE_ISSUER
  value: {{ .root.Values.issuer | quote }}
{{- with .root.Values.audience }}
- name: GATEHOUSE_AUDIENCE
  value: {{ . | quote }}
{{- end }}
{{- with .root.Values.trustedProxies }}
- name: GATEHOUSE_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
- name: GATEHOUSE_JOBS
  value: {{ ternary "worker" "serve" .root.Values.worker.enabled }}
{{- range $name, $value := .root.Values.settings }}
{{- if or (has "redis" $.needs) (not (or (hasPrefix "GATEHOUSE_REDIS_" $name) (eq $name "GATEHOUSE_REFRESH_TOKEN_STORE"))) }}
- name: {{ $name }}
  {{- /* A number comes as a float: written without an exponent. */}}
  value: {{ ternary (printf "%v" (int64 (default 0 $value))) (toString $value) (kindIs "float64" $value) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "gatehouse.configFilesEnv" -}}
{{- if .Values.clients }}
- name: GATEHOUSE_CLIENTS_FILE
  value: /etc/gatehouse/config/clients.yaml
{{- end }}
{{- if .Values.apis }}
- name: GATEHOUSE_APIS_FILE
  value: /etc/gatehouse/config/apis.yaml
{{- end }}
{{- end }}

{{/* The database of `gatehouse migrate`, as YAML: the owner's, or else that of the servers. */}}
{{- define "gatehouse.migrationDatabase" -}}
{{- $own := .Values.migration.database }}
{{- ternary $own .Values.database (or $own.url $own.passwordRef $own.existingSecret.name | not | not) | toYaml }}
{{- end }}

{{/*
The Secrets of a process, as one volume: each credential is a file that follows changes of its Secret.
Takes (dict "root" $ "database" .Values.database "needs" (list "redis" …)).
*/}}
{{- define "gatehouse.credentialSources" -}}
{{- $v := .root.Values }}
{{- $files := list }}
{{- with .database }}
{{- range $key := list "url" "password" }}
{{- with index $.database.existingSecret.keys $key }}
{{- $files = append $files (list $.database.existingSecret.name . (printf "database/%s" $key)) }}
{{- end }}
{{- end }}
{{- end }}
{{- if has "redis" .needs }}
{{- range $key := list "url" "password" }}
{{- with index $v.redis.existingSecret.keys $key }}
{{- $files = append $files (list $v.redis.existingSecret.name . (printf "redis/%s" $key)) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (has "server" .needs) $v.serverSecrets.existingSecret.name }}
{{- $files = append $files (list $v.serverSecrets.existingSecret.name $v.serverSecrets.existingSecret.keys.secrets "server/secrets") }}
{{- end }}
{{- if and (has "keys" .needs) $v.keys.existingSecret.name }}
{{- $files = append $files (list $v.keys.existingSecret.name $v.keys.existingSecret.keys.secret "keys/secret") }}
{{- end }}
{{- range $files }}
- secret:
    name: {{ index . 0 }}
    items:
      - key: {{ index . 1 }}
        path: {{ index . 2 }}
{{- end }}
{{- end }}
