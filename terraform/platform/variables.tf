variable "name" {
  description = "The beginning of the names of all resources. The cache, the bus and the database have this name."
  type        = string
  default     = "gatehouse"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 24
    error_message = "name must have at most 24 small letters, digits and single hyphens, and begin with a letter: load balancers and caches allow no more."
  }
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

variable "size" {
  description = "What the database and the cache can carry: small, medium or large. docs/terraform.md has the arithmetic."
  type        = string
  default     = "medium"

  validation {
    condition     = contains(["small", "medium", "large"], var.size)
    error_message = "size must be small, medium or large. `database` and `cache` replace single values."
  }
}

variable "network" {
  description = "The VPC. `zones` are the letters of the availability zones. Without nat_gateway_per_zone, the size decides: one NAT gateway for small, one for each zone otherwise."
  type = object({
    vpc_cidr             = optional(string, "10.40.0.0/16")
    zones                = optional(list(string), ["a", "b", "c"])
    nat_gateway_per_zone = optional(bool)
    interface_endpoints  = optional(set(string), ["secretsmanager", "kms", "sts", "events", "logs", "ecr.api", "ecr.dkr"])
  })
  default = {}

  validation {
    condition     = length(distinct(var.network.zones)) >= 2 && length(var.network.zones) <= 4 && alltrue([for zone in var.network.zones : can(regex("^[a-f]$", zone))])
    error_message = "network.zones must be two to four letters, such as [\"a\", \"b\"]: the database and the load balancer need two zones. `aws ec2 describe-availability-zones` lists those of your account."
  }
}

variable "certificate_arn" {
  description = "The certificate of the internal load balancer in ACM, in this region. API Gateway verifies the name in it, so it must be a public one."
  type        = string
}

variable "kubernetes" {
  description = "The EKS cluster with Auto Mode. `namespace` and `release` are those of `helm install`; `fargate_profile` runs the pods on Fargate, with IRSA."
  type = object({
    enabled             = optional(bool, true)
    version             = optional(string, "1.37")
    namespace           = optional(string, "gatehouse")
    release             = optional(string, "gatehouse")
    fargate_profile     = optional(bool, false)
    public_access_cidrs = optional(list(string), [])
    admin_role_arns     = optional(set(string), [])
  })
  default = {}

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes.version))
    error_message = "kubernetes.version must be a minor version such as 1.37; AWS moves the patch version."
  }

  validation {
    condition     = !var.kubernetes.enabled || length(var.kubernetes.admin_role_arns) > 0
    error_message = "kubernetes.admin_role_arns needs at least one role: the one that makes the cluster does not become its administrator by itself."
  }

  validation {
    condition     = alltrue([for arn in var.kubernetes.admin_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", arn))])
    error_message = "kubernetes.admin_role_arns must be ARNs of IAM roles. An ARN of an assumed role (sts) does not work."
  }

  validation {
    condition     = alltrue([for cidr in var.kubernetes.public_access_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "kubernetes.public_access_cidrs must be address ranges and never the whole internet (/0)."
  }
}

variable "ecs" {
  description = "Whether tasks on ECS run Gatehouse (the root `fargate`), instead of the cluster or beside it."
  type        = bool
  default     = false

  validation {
    condition     = var.ecs || var.kubernetes.enabled
    error_message = "Nothing would run Gatehouse: set kubernetes.enabled, or ecs, or both."
  }
}

variable "database" {
  description = "Postgres. Values that are not set come from `size`."
  type = object({
    engine_version        = optional(string, "17")
    instance_class        = optional(string)
    allocated_storage_gib = optional(number)
    max_storage_gib       = optional(number)
    multi_az              = optional(bool, true)
    backup_retention_days = optional(number, 14)
    deletion_protection   = optional(bool, true)
    skip_final_snapshot   = optional(bool, false)
  })
  default = {}

  validation {
    condition     = can(regex("^(14|15|16|17|18)(\\.[0-9]+)?$", var.database.engine_version))
    error_message = "database.engine_version must be Postgres 14 to 18."
  }

  validation {
    condition     = var.database.backup_retention_days >= 1 && var.database.backup_retention_days <= 35
    error_message = "database.backup_retention_days must be from 1 to 35: with 0, AWS makes no backup at all."
  }
}

variable "cache" {
  description = "Valkey. Values that are not set come from `size`."
  type = object({
    engine_version          = optional(string, "8.1")
    node_type               = optional(string)
    nodes                   = optional(number)
    snapshot_retention_days = optional(number, 1)
  })
  default = {}

  validation {
    condition     = can(regex("^(7\\.2|[89]\\.[0-9]+)$", var.cache.engine_version))
    error_message = "cache.engine_version must be Valkey 7.2 or later: earlier ones have no sign-in by IAM."
  }
}

variable "serve" {
  description = "What the servers may do beside answering requests: create the first signing keys; do the jobs of the worker (if no worker runs)."
  type = object({
    writes_keys = optional(bool, true)
    does_jobs   = optional(bool, false)
  })
  default = {}
}

variable "mail" {
  description = "What mails to people need (docs/mail.md): the identities of Amazon SES that Gatehouse may send from, such as example.com; a configuration set and a queue for bounces and complaints are made for them. None of them: it sends by SMTP. Null: it sends no mail."
  type = object({
    ses_identities = optional(set(string), [])
  })
  default = null
}

variable "signing_key_in_kms" {
  description = "Whether KMS holds the key that signs tokens. docs/keys.md says what it costs; `gatehouse keys rotate --kms` starts its use."
  type        = bool
  default     = false
}

variable "events" {
  description = "The event bus: days in the archive, and queues of your services with the types of events that each gets."
  type = object({
    archive_days = optional(number, 30)
    security_event_types = optional(set(string), [
      "keys.changed", "clients.changed", "token.reuse_detected", "user.disabled", "user.password_changed", "user.roles_changed",
    ])
    subscribers = optional(map(object({ queue_arn = string, event_types = set(string) })), {})
  })
  default = {}

  validation {
    condition     = var.events.archive_days >= 1 && var.events.archive_days <= 365
    error_message = "events.archive_days must be from 1 to 365. Events hold email addresses: keep them no longer than you need."
  }
}

variable "github" {
  description = "The GitHub repository whose workflows plan, push and deploy, and the state bucket. Null: no roles."
  type = object({
    owner               = string
    owner_id            = number
    repository          = string
    repository_id       = number
    environment         = optional(string, "production")
    release_environment = optional(string, "release")
    branch              = optional(string, "main")
    oidc_provider_arn   = optional(string)
    state_bucket        = string
    state_kms_key_arn   = optional(string)
  })
  default = null
}

variable "alarm_emails" {
  description = "The email addresses that get alarms. Each person must confirm the first message."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "alarm_emails must be email addresses."
  }
}

variable "log_retention_days" {
  description = "How many days log groups are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number that CloudWatch offers, of at least 30: 30, 60, 90, 120, 150, 180, 365, 400 and so on."
  }
}

variable "load_balancer" {
  description = "The internal load balancer: a bucket for access logs, and whether AWS refuses to delete it."
  type = object({
    access_logs_bucket  = optional(string)
    deletion_protection = optional(bool, true)
  })
  default = {}
}

variable "secret_recovery_days" {
  description = "How many days a deleted secret can be restored."
  type        = number
  default     = 30
}
