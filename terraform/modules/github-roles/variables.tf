variable "name" {
  description = "The beginning of the names of the roles."
  type        = string
}

variable "repository" {
  description = "The GitHub repository that may take the roles, with its numeric ids. `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them."
  type = object({
    owner         = string
    owner_id      = number
    name          = string
    repository_id = number
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*$", var.repository.owner)) && can(regex("^[A-Za-z0-9_.-]+$", var.repository.name))
    error_message = "owner and name must be the plain names of GitHub, without * and without a slash."
  }

  validation {
    condition     = var.repository.owner_id > 0 && var.repository.repository_id > 0
    error_message = "owner_id and repository_id must be the numbers that GitHub gave: a name can be taken over, a number can't."
  }
}

variable "environment" {
  description = "The GitHub environment whose approval a deployment needs."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+$", var.environment))
    error_message = "environment must be the plain name of a GitHub environment, without * and without a slash."
  }
}

variable "branch" {
  description = "The branch whose commits are built and pushed to ECR."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_./-]+$", var.branch))
    error_message = "branch must be the plain name of a branch, without *."
  }
}

variable "release_environment" {
  description = "The GitHub environment of releases, whose jobs may push to ECR as well. A tag's own subject would need a `*`."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+$", var.release_environment))
    error_message = "release_environment must be the plain name of a GitHub environment, without * and without a slash."
  }
}

variable "oidc_provider_arn" {
  description = "An IAM provider for GitHub that the account has already. Null: this module makes it."
  type        = string
}

variable "repository_arns" {
  description = "The ECR repositories that may be pushed to."
  type        = list(string)
}

variable "state" {
  description = "The bucket of the states and saved plans, and the KMS key that encrypts it (null: none)."
  type = object({
    bucket      = string
    kms_key_arn = optional(string)
  })
}

