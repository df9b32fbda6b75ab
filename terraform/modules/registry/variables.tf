variable "repositories" {
  description = "The names of the repositories."
  type        = set(string)
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts images."
  type        = string
}

variable "keep_images" {
  description = "How many images are kept. Signatures are not counted."
  type        = number
}
