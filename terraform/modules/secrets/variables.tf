variable "name" {
  description = "The beginning of the names of the secrets."
  type        = string
}

variable "containers" {
  description = "The secrets by the last part of their names, each with what it holds."
  type        = map(string)
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts them."
  type        = string
}

variable "recovery_days" {
  description = "How many days a deleted secret can be restored."
  type        = number

  validation {
    condition     = var.recovery_days >= 7 && var.recovery_days <= 30
    error_message = "recovery_days must be from 7 to 30: a signing key that is gone at once can't be restored."
  }
}
