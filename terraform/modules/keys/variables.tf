variable "name" {
  description = "The beginning of the names of all resources."
  type        = string
}

variable "signing_key" {
  description = "Whether KMS also holds an RSA key that signs tokens (docs/keys.md)."
  type        = bool
}
