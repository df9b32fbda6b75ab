variable "name" {
  description = "The name of the instance."
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
  description = "The KMS key that encrypts disks, backups and logs."
  type        = string
}

variable "secrets_kms_key_arn" {
  description = "The KMS key that encrypts the administrator's password, which RDS makes and rotates."
  type        = string
}

variable "settings" {
  description = "The size and the safety of the instance."
  type = object({
    engine_version        = string
    instance_class        = string
    allocated_storage_gib = number
    max_storage_gib       = number
    multi_az              = bool
    backup_retention_days = number
    deletion_protection   = bool
    skip_final_snapshot   = bool
  })
}

variable "log_retention_days" {
  description = "How many days logs are kept."
  type        = number
}
