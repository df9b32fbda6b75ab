variable "name" {
  description = "The name of the configuration set and the beginning of other names."
  type        = string
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts the queues."
  type        = string
}
