locals {
  database_url       = "postgres://gatehouse@${module.database.address}:5432/gatehouse?sslmode=verify-full"
  owner_database_url = "postgres://gatehouse_owner@${module.database.address}:5432/gatehouse?sslmode=verify-full"
  redis_url          = "rediss://${module.cache.user_name}@${module.cache.address}:6379"

  mail_settings = local.sends_by_ses ? module.mail_reports[0].settings : {}

  # What the other roots need. They read these two parameters, not the state of this root.
  for_edge = {
    vpc_link_subnet_ids        = module.network.private_subnet_ids
    vpc_link_security_group_id = module.load_balancer.link_security_group_id
    listener_arn               = module.load_balancer.listener_arn
    log_kms_key_arn            = module.keys.data_key_arn
    alarm_topic_arn            = aws_sns_topic.alarms.arn
  }
  for_fargate = {
    subnet_ids         = module.network.private_subnet_ids
    security_group_id  = one(aws_security_group.tasks[*].id)
    target_group_arn   = module.load_balancer.target_group_arn
    trusted_proxies    = module.network.private_subnet_cidrs
    log_group_name     = aws_cloudwatch_log_group.gatehouse.name
    kms_key_arn        = module.keys.data_key_arn
    alarm_topic_arn    = aws_sns_topic.alarms.arn
    image_repository   = module.registry.urls["${var.name}/image"]
    repository_arn     = module.registry.arns["${var.name}/image"]
    role_arns          = module.workload_roles.role_arns
    database_url       = local.database_url
    owner_database_url = local.owner_database_url
    redis_url          = local.redis_url
    cache_name         = module.cache.name
    secret_names       = module.secrets.names
    bus_arn            = module.events.bus_arn
    mail_settings      = local.mail_settings
  }
}

resource "aws_ssm_parameter" "handover" {
  # checkov:skip=CKV2_AWS_34:Names and addresses of resources, no secret.
  # checkov:skip=CKV_AWS_337:Names and addresses of resources, no secret.
  for_each = { edge = local.for_edge, fargate = local.for_fargate }

  name           = "/${var.name}/platform/${each.key}"
  description    = "What the root ${each.key} needs to know of the platform"
  type           = "String"
  tier           = "Intelligent-Tiering"
  insecure_value = jsonencode(each.value)
}

output "chart_values" {
  description = "Values of the chart charts/gatehouse that follow from this platform, as YAML: `terraform output -raw chart_values > platform-values.yaml`."
  value = yamlencode(merge(
    {
      image          = { repository = module.registry.urls["${var.name}/image"] }
      trustedProxies = module.network.private_subnet_cidrs
      settings = merge(local.mail_settings, {
        GATEHOUSE_CLIENT_ADDRESS_HEADER = "forwarded"
        GATEHOUSE_EVENTS_SINK           = "eventbridge:${module.events.bus_arn}"
      })
      database           = { url = local.database_url, passwordRef = "rds-iam:" }
      redis              = { url = local.redis_url, passwordRef = "elasticache-iam:${module.cache.name}" }
      serverSecrets      = { ref = "secretsmanager:${module.secrets.names["server-secrets"]}" }
      keys               = { store = "secretsmanager:${module.secrets.names["keys"]}" }
      targetGroupBinding = { enabled = true, targetGroupARN = module.load_balancer.target_group_arn }
      worker             = { enabled = !var.serve.does_jobs }
      migration = {
        database       = { url = local.owner_database_url, passwordRef = "rds-iam:" }
        serviceAccount = { create = false, name = local.workloads["migrate"].service_account }
      }
    },
    # Pod Identity needs only the names of service accounts; IRSA needs the role in an annotation.
    { for key, workload in { serve = "serve", worker = "worker", keyRotation = "key-rotation", operator = "operator" } :
      key => merge(
        { serviceAccount = { annotations = { "eks.amazonaws.com/role-arn" = module.workload_roles.role_arns[workload] } } },
        { for switch in ["enabled"] : switch => !var.serve.does_jobs if key == "worker" },
      ) if var.kubernetes.fargate_profile
    },
  ))
}

output "configure_kubectl" {
  description = "The command that lets kubectl talk to the cluster, or null."
  value       = var.kubernetes.enabled ? "aws eks update-kubeconfig --region ${var.region} --name ${module.cluster[0].name}" : null
}

output "registry_urls" {
  description = "The ECR repositories of image and chart."
  value       = module.registry.urls
}

output "secret_names" {
  description = "The secrets that need a value, except `keys`, which Gatehouse writes."
  value       = module.secrets.names
}

output "database" {
  description = "Where the database is, and which secret holds the administrator's password for the creation of the users."
  value = {
    address           = module.database.address
    master_secret_arn = module.database.master_secret_arn
  }
}

output "workload_role_arns" {
  description = "The roles of the processes."
  value       = module.workload_roles.role_arns
}

output "github_role_arns" {
  description = "The roles for the workflows, or null."
  value       = one(module.github_roles[*].role_arns)
}

output "github_subjects" {
  description = "The subjects of GitHub's tokens that each role accepts, or null."
  value       = one(module.github_roles[*].subjects)
}

output "signing_key_arn" {
  description = "The KMS key for `gatehouse keys rotate --kms`, or null."
  value       = module.keys.signing_key_arn
}

output "listener_arn" {
  description = "The listener of the internal load balancer, for rules of your services."
  value       = module.load_balancer.listener_arn
}

output "vpc" {
  description = "The VPC, its private subnets, and the public addresses of its NAT gateways."
  value = {
    id                 = module.network.vpc_id
    private_subnet_ids = module.network.private_subnet_ids
    nat_addresses      = module.network.nat_addresses
  }
}

output "alarm_topic_arn" {
  description = "The SNS topic of all alarms."
  value       = aws_sns_topic.alarms.arn
}
