variable "name" {
  description = "The beginning of the names of all resources."
  type        = string
}

variable "vpc_cidr" {
  description = "The address range of the VPC. Each subnet gets a sixteenth of it."
  type        = string

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 20
    error_message = "vpc_cidr must be an IPv4 range from /16 to /20, such as 10.40.0.0/16."
  }
}

variable "availability_zones" {
  description = "The zones of the subnets, two to four. Each has a public, a private and a data subnet."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 4
    error_message = "availability_zones must have two to four zones: the database and the load balancer need two."
  }
}

variable "nat_gateway_per_zone" {
  description = "Whether each zone has its own NAT gateway. One for all costs less, but its zone is then a single point of failure."
  type        = bool
}

variable "interface_endpoints" {
  description = "The AWS services that are reached inside the VPC, by the last part of their endpoint name."
  type        = set(string)
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts the flow logs."
  type        = string
}

variable "log_retention_days" {
  description = "How many days flow logs are kept."
  type        = number
}

variable "cluster_name" {
  description = "The name of the EKS cluster that finds its subnets by tags. Null: no cluster."
  type        = string
}
