variable "name" {
  description = "The beginning of the names of the roles."
  type        = string
}

variable "workloads" {
  description = "The processes of Gatehouse, each with the service account it runs as and what it may do."
  type = map(object({
    service_account = string
    secrets         = optional(set(string), [])
    secrets_written = optional(set(string), [])
    database_user   = optional(string)
    cache           = optional(bool, false)
    events          = optional(bool, false)
    mails           = optional(bool, false)
    signs           = optional(bool, false)
  }))

  validation {
    condition     = alltrue([for workload in values(var.workloads) : length(workload.secrets) > 0 || workload.database_user != null])
    error_message = "Each workload needs a secret or a database user: a role without rights is not worth having."
  }

  validation {
    condition     = alltrue([for workload in values(var.workloads) : length(setsubtract(workload.secrets_written, workload.secrets)) == 0])
    error_message = "A workload that writes a secret must also read it."
  }
}

variable "secret_arns" {
  description = "The ARNs of the secrets, by the names that workloads use."
  type        = map(string)
}

variable "secrets_kms_key_arn" {
  description = "The KMS key of the secrets."
  type        = string
}


variable "signing_key_arn" {
  description = "The KMS key that signs tokens, or null."
  type        = string
}

variable "database_resource_id" {
  description = "The resource id of the database."
  type        = string
}

variable "cache_arns" {
  description = "The ARNs of the replication group and of its user."
  type        = list(string)
}

variable "bus_arn" {
  description = "The ARN of the event bus."
  type        = string
}

variable "ses_identities" {
  description = "The identities of Amazon SES that workloads with mails may send from."
  type        = set(string)
  default     = []
}

variable "mail_reports" {
  description = "The configuration set of Amazon SES, and the queue with its reports and its KMS key, or null."
  type = object({
    configuration_set_arn = string
    queue_arn             = string
    kms_key_arn           = string
  })
  default = null
}

variable "pod_identity" {
  description = "The cluster whose pods get the roles by Pod Identity, or null."
  type = object({
    cluster_name = string
    cluster_arn  = string
    namespace    = string
  })
}

variable "irsa" {
  description = "The cluster whose pods get the roles by its tokens, for a Fargate profile, or null."
  type = object({
    provider_arn = string
    issuer       = string
    namespace    = string
  })
}

variable "ecs" {
  description = "Whether ECS tasks of this account get the roles."
  type        = bool
}
