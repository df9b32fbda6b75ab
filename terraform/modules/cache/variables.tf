variable "name" {
  description = "The name of the replication group, in small letters."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "The data subnets."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "The security groups that may connect, by a name of their own."
  type        = map(string)
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts memory snapshots and logs."
  type        = string
}

variable "settings" {
  description = "The size and the safety of the cache."
  type = object({
    engine_version          = string
    node_type               = string
    nodes                   = number
    snapshot_retention_days = number
  })

  validation {
    condition     = var.settings.nodes >= 2 && var.settings.nodes <= 6
    error_message = "nodes must be from 2 to 6: failover to another zone needs a second node."
  }
}

variable "log_retention_days" {
  description = "How many days logs are kept."
  type        = number
}
