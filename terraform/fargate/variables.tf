variable "name" {
  description = "The name of the platform, as in the root `platform`, which needs `ecs = true`."
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
  description = "The issuer, exactly as in the root `edge`: https:// and a host, nothing after it."
  type        = string

  validation {
    condition     = can(regex("^https://[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.issuer))
    error_message = "issuer must be https:// and a host in small letters, without a slash, a path or a port. Tokens are compared with it character for character."
  }
}

variable "audience" {
  description = "The audience of the default API. Null: the issuer followed by /api."
  type        = string
  default     = null
}

variable "image_digest" {
  description = "The digest of the image in the platform's ECR repository, such as sha256:0123…: it names one image for ever."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "image_digest must be sha256: and 64 hexadecimal digits. A tag does not say which image runs."
  }
}

variable "architecture" {
  description = "The processor of the tasks: ARM64 costs a fifth less, X86_64 fits every image."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "architecture must be X86_64 or ARM64."
  }
}

variable "serve" {
  description = "The servers: CPU (1024 is one core) and memory in MiB of a task, how many tasks at least and at most, and the CPU use in percent that their number follows."
  type = object({
    cpu         = optional(number, 1024)
    memory      = optional(number, 2048)
    min         = optional(number, 2)
    max         = optional(number, 6)
    cpu_percent = optional(number, 70)
  })
  default = {}

  validation {
    condition     = var.serve.min >= 2 && var.serve.max >= var.serve.min
    error_message = "serve.min must be at least 2, so that a zone may fail, and serve.max at least as large."
  }

  validation {
    condition     = var.serve.cpu_percent >= 20 && var.serve.cpu_percent <= 90
    error_message = "serve.cpu_percent must be from 20 to 90."
  }
}

variable "worker" {
  description = "The workers, which publish events and rotate keys: CPU and memory of a task, and how many. One works, the others take over."
  type = object({
    cpu    = optional(number, 256)
    memory = optional(number, 512)
    tasks  = optional(number, 2)
  })
  default = {}

  validation {
    condition     = var.worker.tasks >= 1
    error_message = "worker.tasks must be at least 1: without a worker no event is published and no key is rotated."
  }
}

variable "key_rotation_days" {
  description = "The age in days at which the worker adds the next signing key."
  type        = number
  default     = 90

  validation {
    condition     = var.key_rotation_days >= 1 && var.key_rotation_days <= 365
    error_message = "key_rotation_days must be from 1 to 365."
  }
}

variable "settings" {
  description = "Other settings of docs/configuration.md, by name. Secrets only as references."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.settings) : startswith(key, "GATEHOUSE_") || startswith(key, "OTEL_")])
    error_message = "settings must be variables of Gatehouse (GATEHOUSE_…) or OpenTelemetry (OTEL_…)."
  }

  validation {
    condition     = alltrue([for key in keys(var.settings) : !contains(["GATEHOUSE_ISSUER", "GATEHOUSE_AUDIENCE", "GATEHOUSE_DATABASE_URL", "GATEHOUSE_DATABASE_PASSWORD", "GATEHOUSE_REDIS_URL", "GATEHOUSE_REDIS_PASSWORD", "GATEHOUSE_SERVER_SECRETS", "GATEHOUSE_KEYS", "GATEHOUSE_JOBS", "GATEHOUSE_PORT", "GATEHOUSE_OPS_PORT"], key)])
    error_message = "settings must not hold what this root sets itself: issuer, audience, stores, secrets, keys, jobs and ports."
  }
}

variable "documents" {
  description = "Clients and APIs as YAML: { \"clients.yaml\" = file(\"clients.yaml\"), \"apis.yaml\" = file(\"apis.yaml\") }. Secrets of clients only as references."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.documents) : contains(["clients.yaml", "apis.yaml"], name)])
    error_message = "documents may hold clients.yaml and apis.yaml."
  }

  validation {
    condition     = alltrue([for text in values(var.documents) : !can(regex("BEGIN [A-Z ]*PRIVATE KEY", text)) && !can(regex("(?m)^\\s*-?\\s*secret:\\s*\\S", text))])
    error_message = "documents must not hold secrets or private keys: they would be in the state and in the task definition. Write `ref: secretsmanager:…`."
  }
}

variable "run_migration" {
  description = "Whether Terraform runs `gatehouse migrate` as a task before the services start; it needs the AWS command line. Without it, run the command that the output `migration_command` shows."
  type        = bool
  default     = true
}
