{{/* Names and labels. Only "gatehouse.selectorLabels" may stand in selectors and in anything that cannot change. */}}

{{- define "gatehouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "gatehouse.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "gatehouse.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "gatehouse.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The labels of a selector. Takes (dict "root" $ "component" "serve"). */}}
{{- define "gatehouse.selectorLabels" -}}
app.kubernetes.io/name: {{ include "gatehouse.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* The labels of an object. Takes (dict "root" $ "component" "serve"). */}}
{{- define "gatehouse.labels" -}}
{{- $fixed := include "gatehouse.selectorLabels" . | fromYaml }}
{{- $_ := set $fixed "app.kubernetes.io/version" (default .root.Chart.AppVersion .root.Values.image.tag | trunc 63) }}
{{- $_ := set $fixed "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- $_ := set $fixed "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63) }}
{{- merge $fixed .root.Values.commonLabels | toYaml }}
{{- end }}

{{/* The ServiceAccount of a component. Takes (dict "root" $ "component" "serve" "values" .Values.serve). */}}
{{- define "gatehouse.serviceAccountName" -}}
{{- $own := printf "%s-%s" (include "gatehouse.fullname" .root) .component }}
{{- default (ternary $own "default" .values.serviceAccount.create) .values.serviceAccount.name }}
{{- end }}

{{- define "gatehouse.image" -}}
{{- $repository := trimPrefix "/" (printf "%s/%s" .Values.image.registry .Values.image.repository) }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "gatehouse.issuerHost" -}}
{{- regexReplaceAll "^https://([^/:]+).*$" .Values.issuer "${1}" }}
{{- end }}

{{/* The paths below the issuer's host that lead to Gatehouse, as a YAML list. RFC 8414 §3.1 for an issuer with a path. */}}
{{- define "gatehouse.publicPaths" -}}
{{- $path := regexReplaceAll "^https://[^/]+" .Values.issuer "" }}
{{- if $path }}
- {{ $path }}
- /.well-known/oauth-authorization-server{{ $path }}
- /.well-known/openid-configuration{{ $path }}
{{- else }}
- /
{{- end }}
{{- end }}
