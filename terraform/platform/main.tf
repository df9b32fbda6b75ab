# The platform: everything that Gatehouse stands on. The roots `edge` and `fargate` come after it.

locals {
  zones = [for letter in var.network.zones : "${var.region}${letter}"]

  # docs/terraform.md explains these numbers.
  sizes = {
    small = {
      instance_class = "db.t4g.medium", allocated_storage_gib = 20, max_storage_gib = 100, connections = 300, database_memory_gib = 4
      node_type      = "cache.t4g.small", nodes = 2, nat_gateway_per_zone = false
    }
    medium = {
      instance_class = "db.m7g.large", allocated_storage_gib = 100, max_storage_gib = 500, connections = 600, database_memory_gib = 8
      node_type      = "cache.m7g.large", nodes = 2, nat_gateway_per_zone = true
    }
    large = {
      instance_class = "db.r7g.xlarge", allocated_storage_gib = 500, max_storage_gib = 2000, connections = 2500, database_memory_gib = 32
      node_type      = "cache.r7g.large", nodes = 3, nat_gateway_per_zone = true
    }
  }
  size = local.sizes[var.size]

  database = merge(var.database, {
    instance_class        = coalesce(var.database.instance_class, local.size.instance_class)
    allocated_storage_gib = coalesce(var.database.allocated_storage_gib, local.size.allocated_storage_gib)
    max_storage_gib       = coalesce(var.database.max_storage_gib, local.size.max_storage_gib)
  })
  cache = merge(var.cache, {
    node_type = coalesce(var.cache.node_type, local.size.node_type)
    nodes     = coalesce(var.cache.nodes, local.size.nodes)
  })

  sends_by_ses = try(length(var.mail.ses_identities) > 0, false)

  # The security groups of what runs Gatehouse.
  workload_groups = merge(
    var.kubernetes.enabled ? { pods = module.cluster[0].security_group_id } : {},
    var.ecs ? { tasks = aws_security_group.tasks[0].id } : {},
  )
}

module "keys" {
  source = "../modules/keys"

  name        = var.name
  signing_key = var.signing_key_in_kms
}

module "network" {
  source = "../modules/network"

  name                 = var.name
  vpc_cidr             = var.network.vpc_cidr
  availability_zones   = local.zones
  nat_gateway_per_zone = coalesce(var.network.nat_gateway_per_zone, local.size.nat_gateway_per_zone)
  interface_endpoints  = var.network.interface_endpoints
  cluster_name         = var.kubernetes.enabled ? var.name : null
  kms_key_arn          = module.keys.data_key_arn
  log_retention_days   = var.log_retention_days
}

module "cluster" {
  source = "../modules/cluster"
  count  = var.kubernetes.enabled ? 1 : 0

  name                = var.name
  kubernetes_version  = var.kubernetes.version
  namespace           = var.kubernetes.namespace
  fargate_profile     = var.kubernetes.fargate_profile
  subnet_ids          = module.network.private_subnet_ids
  kms_key_arn         = module.keys.data_key_arn
  public_access_cidrs = var.kubernetes.public_access_cidrs
  admin_role_arns     = var.kubernetes.admin_role_arns
  deployers           = var.github == null ? {} : { github = module.github_roles[0].role_arns.deploy }
  log_retention_days  = var.log_retention_days
  deletion_protection = var.load_balancer.deletion_protection
}

# Tasks on ECS have their own group. They call AWS, and the key addresses (`jwks_uri`) of clients, by HTTPS.
resource "aws_security_group" "tasks" {
  # checkov:skip=CKV2_AWS_5:The root `fargate` attaches it to its services.
  count = var.ecs ? 1 : 0

  name        = "${var.name}-tasks"
  description = "Tasks of Gatehouse on ECS"
  vpc_id      = module.network.vpc_id

  tags = { Name = "${var.name}-tasks" }
}

resource "aws_vpc_security_group_egress_rule" "tasks_https" {
  count = var.ecs ? 1 : 0

  security_group_id = aws_security_group.tasks[0].id
  description       = "HTTPS to AWS and to the key addresses of clients"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "tasks_stores" {
  for_each = var.ecs ? { database = 5432, cache = 6379 } : {}

  security_group_id = aws_security_group.tasks[0].id
  description       = "To the ${each.key}"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  cidr_ipv4         = var.network.vpc_cidr
}

module "database" {
  source = "../modules/database"

  name                      = var.name
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.data_subnet_ids
  client_security_group_ids = local.workload_groups
  kms_key_arn               = module.keys.data_key_arn
  secrets_kms_key_arn       = module.keys.secrets_key_arn
  settings                  = local.database
  log_retention_days        = var.log_retention_days
}

module "cache" {
  source = "../modules/cache"

  name                      = var.name
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.data_subnet_ids
  client_security_group_ids = local.workload_groups
  kms_key_arn               = module.keys.data_key_arn
  settings                  = local.cache
  log_retention_days        = var.log_retention_days
}

module "secrets" {
  source = "../modules/secrets"

  name          = var.name
  kms_key_arn   = module.keys.secrets_key_arn
  recovery_days = var.secret_recovery_days
  containers = {
    keys           = "The signing keys. Gatehouse writes them at its first start"
    server-secrets = "The secrets that protect cookies, sessions and refresh tokens"
    clients        = "Secrets of clients, as a JSON object"
  }
}

module "events" {
  source = "../modules/events"

  name                 = var.name
  kms_key_arn          = module.keys.data_key_arn
  archive_days         = var.events.archive_days
  security_event_types = var.events.security_event_types
  subscribers          = var.events.subscribers
  log_retention_days   = var.log_retention_days
}

module "mail_reports" {
  source = "../modules/mail-reports"
  count  = local.sends_by_ses ? 1 : 0

  name        = var.name
  kms_key_arn = module.keys.data_key_arn
}

module "registry" {
  source = "../modules/registry"

  # Helm pushes a chart to a repository with the name of the chart, below the prefix that it gets.
  repositories = ["${var.name}/image", "${var.name}/charts/gatehouse"]
  kms_key_arn  = module.keys.data_key_arn
  keep_images  = 50
}

module "load_balancer" {
  source = "../modules/load-balancer"

  name                      = var.name
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.private_subnet_ids
  certificate_arn           = var.certificate_arn
  cluster_name              = var.kubernetes.enabled ? var.name : null
  target_security_group_ids = local.workload_groups
  access_logs_bucket        = var.load_balancer.access_logs_bucket
  deletion_protection       = var.load_balancer.deletion_protection
}
