# Access rights: a role for each process of Gatehouse, and three for GitHub.

locals {
  # The chart names service accounts after the release (its `gatehouse.fullname`).
  service_account = strcontains(var.kubernetes.release, "gatehouse") ? var.kubernetes.release : "${var.kubernetes.release}-gatehouse"

  workloads = {
    serve = {
      service_account = "${local.service_account}-serve"
      secrets         = ["keys", "server-secrets", "clients"]
      secrets_written = var.serve.writes_keys || var.serve.does_jobs ? ["keys"] : []
      database_user   = "gatehouse"
      cache           = true
      events          = var.serve.does_jobs
      mails           = var.serve.does_jobs
      signs           = true
    }
    worker = {
      service_account = "${local.service_account}-worker"
      # The content of mails that wait is encrypted with the server secrets.
      secrets         = var.mail == null ? ["keys"] : ["keys", "server-secrets"]
      secrets_written = ["keys"]
      database_user   = "gatehouse"
      events          = true
      mails           = true
      signs           = true
    }
    key-rotation = {
      service_account = "${local.service_account}-key-rotation"
      secrets         = ["keys"]
      secrets_written = ["keys"]
      database_user   = "gatehouse"
      signs           = true
    }
    # Not made by the chart, because its migration runs before its service accounts exist: docs/terraform.md says how.
    migrate = {
      service_account = "${local.service_account}-migrate"
      database_user   = "gatehouse_owner"
    }
    operator = {
      service_account = "${local.service_account}-operator"
      database_user   = "gatehouse"
    }
  }
}

module "workload_roles" {
  source = "../modules/workload-roles"

  name                 = var.name
  workloads            = local.workloads
  secret_arns          = module.secrets.arns
  secrets_kms_key_arn  = module.keys.secrets_key_arn
  signing_key_arn      = module.keys.signing_key_arn
  database_resource_id = module.database.resource_id
  cache_arns           = [module.cache.arn, module.cache.user_arn]
  bus_arn              = module.events.bus_arn
  ses_identities       = var.mail == null ? [] : var.mail.ses_identities
  mail_reports = local.sends_by_ses ? {
    configuration_set_arn = module.mail_reports[0].configuration_set_arn
    queue_arn             = module.mail_reports[0].queue_arn
    kms_key_arn           = module.keys.data_key_arn
  } : null
  ecs = var.ecs

  pod_identity = var.kubernetes.enabled && !var.kubernetes.fargate_profile ? {
    cluster_name = module.cluster[0].name
    cluster_arn  = module.cluster[0].arn
    namespace    = var.kubernetes.namespace
  } : null

  irsa = var.kubernetes.enabled && var.kubernetes.fargate_profile ? {
    provider_arn = module.cluster[0].oidc_provider_arn
    issuer       = module.cluster[0].oidc_issuer
    namespace    = var.kubernetes.namespace
  } : null
}

module "github_roles" {
  source = "../modules/github-roles"
  count  = var.github == null ? 0 : 1

  name                = var.name
  environment         = var.github.environment
  release_environment = var.github.release_environment
  branch              = var.github.branch
  oidc_provider_arn   = var.github.oidc_provider_arn
  repository_arns     = values(module.registry.arns)

  repository = {
    owner         = var.github.owner
    owner_id      = var.github.owner_id
    name          = var.github.repository
    repository_id = var.github.repository_id
  }

  state = {
    bucket      = var.github.state_bucket
    kms_key_arn = var.github.state_kms_key_arn
  }
}
