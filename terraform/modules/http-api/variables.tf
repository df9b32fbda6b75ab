variable "name" {
  description = "The name of the API."
  type        = string
}

variable "domain_name" {
  description = "The host of the API."
  type        = string
}

variable "certificate_arn" {
  description = "The certificate of the host in ACM, in the same region."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate in ACM."
  }
}

variable "zone_id" {
  description = "The hosted zone in Route 53 that gets the address of the host. Null: you make the record elsewhere."
  type        = string
}

variable "vpc_link_id" {
  description = "The VPC link."
  type        = string
}

variable "services" {
  description = "Where requests go, by a name: a listener of a load balancer with TLS, and the name in its certificate."
  type = map(object({
    listener_arn = string
    server_name  = string
  }))

  validation {
    condition     = alltrue([for service in values(var.services) : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", service.server_name))])
    error_message = "Each service needs a server_name: the host in the certificate of its load balancer. Without it, API Gateway would speak plain HTTP."
  }
}

variable "open_routes" {
  description = "Routes without the authorizer. `path` replaces the path that the service sees."
  type = map(object({
    service = string
    path    = optional(string)
    rate    = number
    burst   = number
  }))

  validation {
    condition     = alltrue([for route in values(var.open_routes) : route.rate > 0 && route.burst > 0])
    error_message = "Each open route needs a rate and a burst above 0: with 0, API Gateway refuses every request with 429."
  }

  validation {
    condition     = alltrue([for key in keys(var.open_routes) : can(regex("^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /", key))])
    error_message = "Each open route needs one method and a path, such as `GET /v1/health`. ANY and $default would open more than you name."
  }
}

variable "protected_routes" {
  description = "Routes behind the authorizer. A token needs at least one of the scopes."
  type = map(object({
    service = string
    scopes  = set(string)
    rate    = number
    burst   = number
  }))
  default = {}

  validation {
    condition     = alltrue([for route in values(var.protected_routes) : length(route.scopes) >= 1 && length(route.scopes) <= 10])
    error_message = "Each protected route needs one to ten scopes: a route without one accepts every token for the API, also id tokens."
  }

  validation {
    condition     = alltrue(flatten([for route in values(var.protected_routes) : [for scope in route.scopes : !contains(["openid", "profile", "email", "offline_access", "roles", "groups"], scope)]]))
    error_message = "openid, profile, email, offline_access, roles and groups are no permissions: every signed-in person's token can have them. Name a scope of your API."
  }

  validation {
    condition     = alltrue([for route in values(var.protected_routes) : route.rate > 0 && route.burst > 0])
    error_message = "Each protected route needs a rate and a burst above 0: with 0, API Gateway refuses every request with 429."
  }

  validation {
    condition     = alltrue([for key in keys(var.protected_routes) : can(regex("^(GET|POST|PUT|PATCH|DELETE|HEAD) /v[0-9]+(/|$)", key))])
    error_message = "Each protected route needs one method and a path with a version, such as `GET /v1/contracts`. OPTIONS can't be protected: browsers send it without a token."
  }
}

variable "jwt" {
  description = "The issuer and the audiences of the authorizer, or null if no route is protected."
  type = object({
    issuer    = string
    audiences = set(string)
  })
  default = null
}

variable "default_throttle" {
  description = "The limit of each route that has none of its own, in requests a second."
  type        = object({ rate = number, burst = number })

  validation {
    condition     = var.default_throttle.rate > 0 && var.default_throttle.burst > 0
    error_message = "default_throttle needs a rate and a burst above 0: with 0, API Gateway refuses every request with 429."
  }
}

variable "cors" {
  description = "The origins that may call the API from a browser, answered by API Gateway. Null: the services answer."
  type = object({
    allow_origins     = set(string)
    allow_methods     = set(string)
    allow_headers     = set(string)
    expose_headers    = set(string)
    allow_credentials = bool
    max_age           = number
  })
  default = null
}

variable "kms_key_arn" {
  description = "The KMS key of the access log."
  type        = string
}

variable "log_retention_days" {
  description = "How many days the access log is kept."
  type        = number
}
