variable "name" {
  description = "The name of the platform, as in the root `platform`."
  type        = string
  default     = "gatehouse"
}

variable "region" {
  description = "The AWS region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the code of an AWS region, such as eu-central-1."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

variable "issuer" {
  description = "The issuer, exactly as GATEHOUSE_ISSUER and as the `issuer` of the chart: https:// and a host, nothing after it."
  type        = string

  validation {
    condition     = can(regex("^https://[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.issuer))
    error_message = "issuer must be https:// and a host in small letters, without a slash, a path or a port. Tokens are compared with it character for character."
  }
}

variable "issuer_certificate_arn" {
  description = "The certificate of the issuer's host in ACM, in this region."
  type        = string
}

variable "api_domain_name" {
  description = "The host of your protected API. It is not the issuer's: API Gateway must be able to read the keys before the authorizer exists."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.api_domain_name))
    error_message = "api_domain_name must be a host in small letters, such as api.example.com."
  }

  validation {
    condition     = "https://${var.api_domain_name}" != var.issuer
    error_message = "api_domain_name must differ from the host of the issuer."
  }
}

variable "api_certificate_arn" {
  description = "The certificate of the API's host in ACM, in this region."
  type        = string
}

variable "zone_id" {
  description = "The hosted zone in Route 53 for both hosts. Null: you make the records elsewhere, between two runs."
  type        = string
  default     = null
}

variable "audiences" {
  description = "The audiences of your API, as in GATEHOUSE_AUDIENCE or GATEHOUSE_APIS_FILE. Never a client id: then API Gateway would accept id tokens."
  type        = set(string)

  validation {
    condition     = length(var.audiences) >= 1 && alltrue([for audience in var.audiences : can(regex("^[a-z][a-z0-9+.-]*:[^\\s#]+$", audience))])
    error_message = "audiences must have at least one absolute URI without a fragment, such as https://api.example.com."
  }
}

variable "load_balancer_server_name" {
  description = "The name in the certificate of the internal load balancer, which API Gateway verifies."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.load_balancer_server_name))
    error_message = "load_balancer_server_name must be a host in small letters that is in the certificate of the load balancer."
  }
}

variable "services" {
  description = "Services behind load balancers of their own, by a name. `platform` is the load balancer of the root `platform`."
  type = map(object({
    listener_arn = string
    server_name  = string
  }))
  default = {}

  validation {
    condition     = !contains(keys(var.services), "platform")
    error_message = "The name `platform` is taken by the load balancer of the root `platform`."
  }
}

variable "open_routes" {
  description = "Routes of the API that need no token. `path` replaces the path that the service sees, as in { \"POST /v1/auth/login\" = { path = \"/auth/login\" } }."
  type = map(object({
    service = optional(string, "platform")
    path    = optional(string)
    rate    = optional(number, 50)
    burst   = optional(number, 100)
  }))
  default = {}
}

variable "protected_routes" {
  description = "Routes of the API that need a token, each with a version in its path and at least one scope. rate and burst are requests a second, of all callers together."
  type = map(object({
    service = optional(string, "platform")
    scopes  = set(string)
    rate    = optional(number, 100)
    burst   = optional(number, 200)
  }))
}

variable "issuer_throttle" {
  description = "Requests a second, of all callers together, for each route of the issuer, by its kind in issuer-routes.json. Gatehouse has limits for each caller: docs/limits.md."
  type        = map(object({ rate = number, burst = number }))
  default = {
    keys    = { rate = 500, burst = 1000 }
    sign-in = { rate = 100, burst = 200 }
    token   = { rate = 500, burst = 1000 }
    page    = { rate = 200, burst = 400 }
    browser = { rate = 500, burst = 1000 }
  }

  validation {
    condition     = toset(keys(var.issuer_throttle)) == toset(["keys", "sign-in", "token", "page", "browser"])
    error_message = "issuer_throttle needs exactly the kinds keys, sign-in, token, page and browser."
  }

  validation {
    condition     = alltrue([for throttle in values(var.issuer_throttle) : throttle.rate > 0 && throttle.burst > 0])
    error_message = "Each kind needs a rate and a burst above 0: with 0, API Gateway refuses every request with 429."
  }
}

variable "cors" {
  description = "Browser apps that may call the API. Null: the services answer `OPTIONS` themselves. The issuer's host always answers from the clients' documents."
  type = object({
    allow_origins     = set(string)
    allow_methods     = optional(set(string), ["GET", "POST", "PUT", "PATCH", "DELETE"])
    allow_headers     = optional(set(string), ["authorization", "content-type"])
    expose_headers    = optional(set(string), ["x-request-id", "retry-after"])
    allow_credentials = optional(bool, false)
    max_age           = optional(number, 600)
  })
  default = null

  validation {
    condition     = var.cors == null ? true : alltrue([for origin in var.cors.allow_origins : can(regex("^https://[^/*]+$", origin))])
    error_message = "cors.allow_origins must be origins such as https://app.example.com: no path, no slash at the end, and no *."
  }
}

variable "doctor" {
  description = "The command of Gatehouse that checks the issuer before the authorizer is made, and for how many seconds it tries. `docker run --rm IMAGE` and `node build/provider/bin/cli.js` work too."
  type = object({
    command = optional(list(string), ["gatehouse"])
    seconds = optional(number, 600)
  })
  default = {}

  validation {
    condition     = length(var.doctor.command) > 0 && var.doctor.seconds >= 0
    error_message = "doctor.command must name a program: without its checks, AWS may refuse the authorizer, or every token later."
  }
}

variable "log_retention_days" {
  description = "How many days access logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number that CloudWatch offers, of at least 30: 30, 60, 90, 120, 150, 180, 365, 400 and so on."
  }
}
