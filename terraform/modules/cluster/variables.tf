variable "name" {
  description = "The name of the cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "The version of Kubernetes."
  type        = string
}

variable "subnet_ids" {
  description = "The private subnets of nodes and pods."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts Kubernetes Secrets and the logs of the control plane."
  type        = string
}

variable "public_access_cidrs" {
  description = "The addresses that may call the cluster's API from the internet. Empty: only from inside the VPC."
  type        = list(string)

  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "public_access_cidrs must be address ranges and never the whole internet (/0)."
  }
}

variable "admin_role_arns" {
  description = "The roles of people who administer the cluster."
  type        = set(string)
}

variable "deployers" {
  description = "The roles that may install into the namespace, by a name of their own."
  type        = map(string)
}

variable "namespace" {
  description = "The namespace of Gatehouse."
  type        = string
}

variable "fargate_profile" {
  description = "Whether the namespace's pods run on Fargate instead of nodes of Auto Mode."
  type        = bool
}

variable "log_retention_days" {
  description = "How many days logs of the control plane are kept."
  type        = number
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the cluster."
  type        = bool
}
