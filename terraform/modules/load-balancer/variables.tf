variable "name" {
  description = "The name of the load balancer."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "The private subnets."
  type        = list(string)
}

variable "certificate_arn" {
  description = "The certificate of the load balancer in ACM. API Gateway verifies the name in it."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate in ACM."
  }
}

variable "cluster_name" {
  description = "The EKS cluster that registers pods, or null."
  type        = string
}

variable "target_security_group_ids" {
  description = "The security groups of the pods or tasks, by a name of their own."
  type        = map(string)
}

variable "access_logs_bucket" {
  description = "A bucket for access logs, or null."
  type        = string
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer."
  type        = bool
}
