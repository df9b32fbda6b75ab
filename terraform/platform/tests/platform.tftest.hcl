# What matters in a plan of the platform. No call leaves the machine: the provider is mocked.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn      = "arn:aws:eks:eu-central-1:111122223333:cluster/gatehouse"
      identity = [{ oidc = [{ issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/0123" }] }]
    }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:mocked" }
  }
  mock_resource "aws_cloudwatch_event_bus" {
    defaults = { arn = "arn:aws:events:eu-central-1:111122223333:event-bus/gatehouse" }
  }
  mock_resource "aws_db_instance" {
    defaults = { resource_id = "db-0123", address = "gatehouse.abc.eu-central-1.rds.amazonaws.com" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/mocked" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/gatehouse/image" }
  }
  mock_resource "aws_elasticache_replication_group" {
    defaults = { primary_endpoint_address = "master.gatehouse.abc.euc1.cache.amazonaws.com" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/gatehouse/0123" }
  }
}

variables {
  region          = "eu-central-1"
  certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"
  kubernetes      = { admin_role_arns = ["arn:aws:iam::111122223333:role/platform-admin"] }
  github = {
    owner         = "example"
    owner_id      = 101
    repository    = "identity"
    repository_id = 202
    state_bucket  = "example-terraform-state"
  }
}

run "network" {
  module {
    source = "./../modules/network"
  }

  variables {
    name                 = "gatehouse"
    vpc_cidr             = "10.40.0.0/16"
    availability_zones   = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    nat_gateway_per_zone = true
    interface_endpoints  = ["secretsmanager"]
    kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/mocked"
    log_retention_days   = 365
    cluster_name         = "gatehouse"
  }

  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.data)) : subnet.cidr_block])) == 9
    error_message = "Subnets overlap."
  }
  assert {
    condition     = alltrue([for subnet in values(aws_subnet.public) : subnet.map_public_ip_on_launch == false])
    error_message = "A public subnet gives public addresses to what starts in it."
  }
  assert {
    condition     = alltrue([for rule in values(aws_vpc_security_group_ingress_rule.endpoints) : startswith(rule.cidr_ipv4, "10.40.")])
    error_message = "Endpoints are open to more than the private subnets."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "Each zone should have its own NAT gateway."
  }
  assert {
    condition     = alltrue([for subnet in values(aws_subnet.private) : lookup(subnet.tags, "kubernetes.io/role/internal-elb", "") == "1"])
    error_message = "Auto Mode finds no subnet for internal load balancers."
  }
}

run "security_groups_of_the_load_balancer" {
  module {
    source = "./../modules/load-balancer"
  }

  variables {
    name                      = "gatehouse"
    vpc_id                    = "vpc-1"
    subnet_ids                = ["subnet-1", "subnet-2"]
    cluster_name              = "gatehouse"
    target_security_group_ids = { pods = "sg-pods" }
    access_logs_bucket        = null
    deletion_protection       = true
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.link.cidr_ipv4 == null && aws_vpc_security_group_ingress_rule.link.cidr_ipv6 == null && aws_vpc_security_group_ingress_rule.link.referenced_security_group_id == aws_security_group.link.id
    error_message = "The load balancer must let in the VPC link alone."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.link.referenced_security_group_id == aws_security_group.this.id
    error_message = "The VPC link may reach more than the load balancer."
  }
  assert {
    condition     = toset([for rule in values(aws_vpc_security_group_ingress_rule.targets) : "${rule.security_group_id} ${rule.from_port}-${rule.to_port} ${rule.ip_protocol}"]) == toset(["sg-pods 3000-3000 tcp", "sg-pods 9090-9090 tcp"])
    error_message = "Pods must be reachable on 3000 and, for health checks, on 9090, and on nothing else."
  }
  assert {
    condition     = aws_lb.this.internal == true && aws_lb.this.drop_invalid_header_fields == true && aws_lb.this.enable_deletion_protection == true
    error_message = "The load balancer must be internal, drop malformed headers and be protected against deletion."
  }
  assert {
    condition     = aws_lb.this.idle_timeout < 65
    error_message = "Gatehouse closes idle connections after 65 seconds: the load balancer must close them before."
  }
  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.port == 443 && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-1-2")
    error_message = "The listener must speak TLS 1.2 or 1.3."
  }
  assert {
    condition     = lookup(aws_lb_target_group.gatehouse.tags, "eks:eks-cluster-name", "") == "gatehouse" && aws_lb_target_group.gatehouse.target_type == "ip"
    error_message = "EKS Auto Mode registers pods only in a target group of the type ip with the tag eks:eks-cluster-name."
  }
  assert {
    condition     = aws_lb_target_group.gatehouse.health_check[0].path == "/readyz" && aws_lb_target_group.gatehouse.health_check[0].port == "9090"
    error_message = "Health is /readyz of the operations listener (docs/running.md)."
  }
}

run "cluster" {
  module {
    source = "./../modules/cluster"
  }

  variables {
    name                = "gatehouse"
    kubernetes_version  = "1.37"
    subnet_ids          = ["subnet-1", "subnet-2"]
    kms_key_arn         = "arn:aws:kms:eu-central-1:111122223333:key/mocked"
    public_access_cidrs = []
    admin_role_arns     = []
    deployers           = { github = "arn:aws:iam::111122223333:role/gatehouse-github-deploy" }
    namespace           = "gatehouse"
    fargate_profile     = true
    log_retention_days  = 365
    deletion_protection = true
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access == false && aws_eks_cluster.this.vpc_config[0].endpoint_private_access == true
    error_message = "The cluster's API must not be reachable from the internet unless addresses are listed."
  }
  assert {
    condition     = aws_eks_cluster.this.compute_config[0].enabled && aws_eks_cluster.this.kubernetes_network_config[0].elastic_load_balancing[0].enabled && aws_eks_cluster.this.storage_config[0].block_storage[0].enabled && !aws_eks_cluster.this.bootstrap_self_managed_addons
    error_message = "The three switches of Auto Mode must agree, without the add-ons of other clusters."
  }
  assert {
    condition     = contains(jsondecode(aws_iam_role.cluster.assume_role_policy).Statement[0].Action, "sts:TagSession")
    error_message = "Auto Mode needs sts:TagSession on the role of the cluster."
  }
  assert {
    condition     = toset(keys(aws_iam_role_policy_attachment.cluster)) == toset(["AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSBlockStoragePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy"])
    error_message = "Auto Mode needs five policies on the role of the cluster."
  }
  assert {
    condition     = alltrue([for association in values(aws_eks_access_policy_association.deployer) : association.access_scope[0].type == "namespace"])
    error_message = "A deployer must have rights in the namespace only."
  }
}

run "database" {
  module {
    source = "./../modules/database"
  }

  variables {
    name                      = "gatehouse"
    vpc_id                    = "vpc-1"
    subnet_ids                = ["subnet-1", "subnet-2"]
    client_security_group_ids = { pods = "sg-pods" }
    kms_key_arn               = "arn:aws:kms:eu-central-1:111122223333:key/data"
    secrets_kms_key_arn       = "arn:aws:kms:eu-central-1:111122223333:key/secrets"
    log_retention_days        = 365
    settings = {
      engine_version = "17", instance_class = "db.m7g.large", allocated_storage_gib = 100, max_storage_gib = 500
      multi_az       = true, backup_retention_days = 14, deletion_protection = true, skip_final_snapshot = false
    }
  }

  assert {
    condition     = contains([for parameter in aws_db_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "Postgres must refuse connections without TLS."
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted == true && aws_db_instance.this.publicly_accessible == false
    error_message = "The disk must be encrypted and the database private."
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password == true && aws_db_instance.this.password == null && aws_db_instance.this.iam_database_authentication_enabled == true
    error_message = "No password may come from Terraform: RDS keeps the administrator's, and Gatehouse signs in by IAM."
  }
  assert {
    condition     = alltrue([for rule in values(aws_vpc_security_group_ingress_rule.clients) : rule.cidr_ipv4 == null && rule.referenced_security_group_id == "sg-pods" && rule.from_port == 5432])
    error_message = "Only the workloads may reach the database."
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period >= 1 && aws_db_instance.this.deletion_protection == true && aws_db_instance.this.skip_final_snapshot == false
    error_message = "The database must have backups and be protected against deletion."
  }
}

run "cache" {
  module {
    source = "./../modules/cache"
  }

  variables {
    name                      = "gatehouse"
    vpc_id                    = "vpc-1"
    subnet_ids                = ["subnet-1", "subnet-2"]
    client_security_group_ids = { pods = "sg-pods" }
    kms_key_arn               = "arn:aws:kms:eu-central-1:111122223333:key/data"
    log_retention_days        = 365
    settings                  = { engine_version = "8.1", node_type = "cache.m7g.large", nodes = 2, snapshot_retention_days = 1 }
  }

  assert {
    condition     = aws_elasticache_replication_group.this.engine == "valkey" && aws_elasticache_replication_group.this.transit_encryption_enabled == true && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "The cache must be Valkey and refuse connections without TLS."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled == true && aws_elasticache_replication_group.this.automatic_failover_enabled == true && aws_elasticache_replication_group.this.num_cache_clusters >= 2
    error_message = "The cache must survive the loss of a zone."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == null && aws_elasticache_user.gatehouse.authentication_mode[0].type == "iam" && aws_elasticache_user.gatehouse.user_id == aws_elasticache_user.gatehouse.user_name
    error_message = "Sign-in is by IAM, without a token in the state; id and name of the user must be equal."
  }
  assert {
    condition     = contains([for parameter in aws_elasticache_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"], "maxmemory-policy=noeviction")
    error_message = "The cache must not drop sessions and refresh tokens (docs/running.md)."
  }
  assert {
    condition     = strcontains(aws_elasticache_user.gatehouse.access_string, "~gatehouse:*") && strcontains(aws_elasticache_user.gatehouse.access_string, "-@all")
    error_message = "The user may touch its own keys only."
  }
}

run "events" {
  module {
    source = "./../modules/events"
  }

  variables {
    name                 = "gatehouse"
    kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/data"
    archive_days         = 30
    log_retention_days   = 365
    security_event_types = ["keys.changed"]
    subscribers          = { mail = { queue_arn = "arn:aws:sqs:eu-central-1:111122223333:mail", event_types = ["user.created"] } }
  }

  assert {
    condition     = alltrue([for target in concat([aws_cloudwatch_event_target.security], values(aws_cloudwatch_event_target.subscriber)) : try(target.dead_letter_config[0].arn == aws_sqs_queue.dead_letters.arn && target.retry_policy[0].maximum_retry_attempts > 0, false)])
    error_message = "Every target needs retries and the dead-letter queue: otherwise events vanish."
  }
  assert {
    condition     = aws_cloudwatch_event_archive.this.retention_days == 30
    error_message = "Events must be in the archive for a limited time."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.subscriber["mail"].event_pattern) == { source = ["gatehouse"], "detail-type" = ["user.created"] }
    error_message = "A subscriber gets exactly the types that it names."
  }
}

run "mail_reports" {
  module {
    source = "./../modules/mail-reports"
  }

  variables {
    name        = "gatehouse"
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/data"
  }

  assert {
    condition     = toset(aws_sesv2_configuration_set_event_destination.this.event_destination[0].matching_event_types) == toset(["BOUNCE", "COMPLAINT"]) && endswith(aws_sesv2_configuration_set_event_destination.this.event_destination[0].event_bridge_destination[0].event_bus_arn, ":event-bus/default")
    error_message = "SES must report bounces and complaints, and can do it to the default bus only."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this.event_pattern).detail.mail.tags["ses:configuration-set"] == ["gatehouse"]
    error_message = "Reports about mails of other programs do not belong into this queue."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters.arn && jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount >= 5
    error_message = "A report that can't be read must leave the queue, but not after one failure of the database."
  }
  assert {
    condition     = alltrue([for policy in values(aws_sqs_queue_policy.this) : alltrue([for statement in jsondecode(policy.policy).Statement : try(statement.Condition.ArnEquals["aws:SourceArn"] == aws_cloudwatch_event_rule.this.arn, false)])])
    error_message = "Only the rule may write into the queues."
  }
}

run "registry" {
  module {
    source = "./../modules/registry"
  }

  variables {
    repositories = ["gatehouse/image"]
    kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/data"
    keep_images  = 50
  }

  assert {
    condition     = alltrue([for repository in values(aws_ecr_repository.this) : repository.image_tag_mutability == "IMMUTABLE_WITH_EXCLUSION" && [for filter in repository.image_tag_mutability_exclusion_filter : filter.filter] == ["sha256-*"]])
    error_message = "Tags must be immutable, but for those of signatures."
  }
}

run "roles_of_github" {
  module {
    source = "./../modules/github-roles"
  }

  variables {
    name                = "gatehouse"
    repository          = { owner = "example", owner_id = 101, name = "identity", repository_id = 202 }
    environment         = "production"
    release_environment = "release"
    branch              = "main"
    oidc_provider_arn   = null
    repository_arns     = ["arn:aws:ecr:eu-central-1:111122223333:repository/gatehouse/image"]
    state               = { bucket = "example-terraform-state" }
  }

  assert {
    condition = alltrue([for role, context in { plan = "pull_request", deploy = "environment:production" } :
    toset(output.subjects[role]) == toset(["repo:example/identity:${context}", "repo:example@101/identity@202:${context}"])])
    error_message = "The trust policies must list both forms of GitHub's subject, exactly."
  }
  assert {
    condition = alltrue([for role in [aws_iam_role.plan, aws_iam_role.push, aws_iam_role.deploy] :
      !strcontains(role.assume_role_policy, "*") && !strcontains(role.assume_role_policy, "StringLike") && !strcontains(role.assume_role_policy, "ForAllValues")
    ])
    error_message = "A trust policy for GitHub must not hold *, StringLike or ForAllValues."
  }
  assert {
    condition     = alltrue([for role in [aws_iam_role.plan, aws_iam_role.push, aws_iam_role.deploy] : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"])
    error_message = "A trust policy for GitHub must check the audience."
  }
  assert {
    condition     = alltrue([for policy in [aws_iam_role_policy.plan, aws_iam_role_policy.deploy] : contains(flatten([for statement in jsondecode(policy.policy).Statement : statement.Action if statement.Effect == "Deny"]), "secretsmanager:GetSecretValue")])
    error_message = "Pipelines must not read values of secrets."
  }
  assert {
    condition     = contains(flatten([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Resource if statement.Effect == "Deny"]), "arn:aws:iam::111122223333:role/gatehouse-github-*")
    error_message = "The deployment must not change its own rights."
  }
  assert {
    condition     = !contains(flatten([for statement in jsondecode(aws_iam_role_policy.plan.policy).Statement : statement.Action if strcontains(jsonencode(statement.Resource), "plans/")]), "s3:GetObject")
    error_message = "The plan role may put plans, not read them."
  }
}

run "whole" {
  variables {
    ecs                = true
    signing_key_in_kms = true
    alarm_emails       = ["on-call@example.com"]
    events = {
      subscribers = { mail = { queue_arn = "arn:aws:sqs:eu-central-1:111122223333:mail", event_types = ["user.created"] } }
    }
  }

  assert {
    condition     = yamldecode(output.chart_values).database.passwordRef == "rds-iam:" && yamldecode(output.chart_values).redis.passwordRef == "elasticache-iam:gatehouse"
    error_message = "The chart must sign in by IAM."
  }
  # test/chart/rendered/terraform-values.test.ts installs the chart with this file.
  assert {
    condition     = output.chart_values == file("tests/chart-values.yaml")
    error_message = output.chart_values
  }
  assert {
    condition     = yamldecode(output.chart_values).trustedProxies == ["10.40.0.0/20", "10.40.16.0/20", "10.40.32.0/20"]
    error_message = "Forwarded headers must be accepted from the subnets of the load balancer only."
  }
  assert {
    condition     = !can(regex("://[^/@]*:[^/@]+@", output.chart_values)) && !can(regex("://[^/@]*:[^/@]+@", jsonencode({ for key, parameter in aws_ssm_parameter.handover : key => parameter.insecure_value })))
    error_message = "A URL holds a password."
  }
  assert {
    condition     = alltrue([for parameter in values(aws_ssm_parameter.handover) : parameter.type == "String" && parameter.value_wo == null])
    error_message = "The handover holds addresses, no secret."
  }
  assert {
    condition     = length(setsubtract(["database-cpu", "database-storage", "database-memory", "database-connections", "load-balancer-none-healthy", "load-balancer-errors", "server-errors", "slow-answers", "events-undelivered", "cache-memory-gatehouse-001", "cache-cpu-gatehouse-002"], keys(local.alarms))) == 0
    error_message = "An alarm is missing."
  }
  assert {
    condition     = local.alarms["load-balancer-none-healthy"].missing == "breaching"
    error_message = "The alarm must also ring if no server is registered: then AWS sends no numbers."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.tasks_https[0].to_port == 443
    error_message = "Tasks may leave the VPC by HTTPS only."
  }
  assert {
    condition     = toset(keys(output.secret_names)) == toset(["keys", "server-secrets", "clients"])
    error_message = "A secret is missing."
  }
}

# Rights of the processes: each assertion names what a process must not have.
run "rights_of_the_processes" {
  module {
    source = "./../modules/workload-roles"
  }

  variables {
    name                 = "gatehouse"
    secret_arns          = { keys = "arn:keys", server-secrets = "arn:server-secrets", clients = "arn:clients" }
    secrets_kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/secrets"
    signing_key_arn      = null
    database_resource_id = "db-0123"
    cache_arns           = ["arn:cache", "arn:user"]
    bus_arn              = "arn:bus"
    ecs                  = true
    pod_identity         = { cluster_name = "gatehouse", cluster_arn = "arn:cluster", namespace = "gatehouse" }
    irsa                 = { provider_arn = "arn:provider", issuer = "oidc.example", namespace = "gatehouse" }
    workloads = {
      serve   = { service_account = "gatehouse-serve", secrets = ["keys", "server-secrets"], database_user = "gatehouse", cache = true }
      migrate = { service_account = "gatehouse-migrate", database_user = "gatehouse_owner" }
    }
  }

  assert {
    condition     = alltrue([for role in values(aws_iam_role.this) : !strcontains(replace(role.assume_role_policy, ":ecs:eu-central-1:111122223333:*", ""), "*")])
    error_message = "A trust policy must name its service account."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["serve"].assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/kubernetes-service-account"] == "gatehouse-serve" && contains(jsondecode(aws_iam_role.this["serve"].assume_role_policy).Statement[0].Action, "sts:TagSession")
    error_message = "Pod Identity must be bound to the service account, and needs sts:TagSession."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["serve"].assume_role_policy).Statement[1].Condition.StringEquals["oidc.example:sub"] == "system:serviceaccount:gatehouse:gatehouse-serve"
    error_message = "IRSA must be bound to the service account."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.this["migrate"].policy, "secretsmanager") && strcontains(aws_iam_role_policy.this["migrate"].policy, "dbuser:db-0123/gatehouse_owner")
    error_message = "The migration owns the schema and reads no secret."
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.this["serve"].policy, "dbuser:db-0123/gatehouse\"") && !strcontains(aws_iam_role_policy.this["serve"].policy, "PutSecretValue") && !strcontains(aws_iam_role_policy.this["serve"].policy, "PutEvents")
    error_message = "A server that may not write keys or publish events has more rights than it needs."
  }
  assert {
    condition     = alltrue([for policy in values(aws_iam_role_policy.this) : !contains(flatten([for statement in jsondecode(policy.policy).Statement : statement.Resource]), "*")])
    error_message = "Every right must name its resource."
  }
}

run "mail" {
  variables { mail = { ses_identities = ["example.com"] } }

  assert {
    condition     = contains(local.workloads["worker"].secrets, "server-secrets")
    error_message = "A worker that sends mails must read the server secrets."
  }
  assert {
    condition     = yamldecode(output.chart_values).settings.GATEHOUSE_SES_CONFIGURATION_SET == "gatehouse" && can(yamldecode(output.chart_values).settings.GATEHOUSE_MAIL_FEEDBACK_QUEUE) && keys(jsondecode(aws_ssm_parameter.handover["fargate"].insecure_value).mail_settings) == ["GATEHOUSE_MAIL_FEEDBACK_QUEUE", "GATEHOUSE_SES_CONFIGURATION_SET"]
    error_message = "The chart and the root fargate must get the configuration set and the queue of reports."
  }
  assert {
    condition     = contains(keys(local.alarms), "mail-reports-unread")
    error_message = "A report that could not be read must ring."
  }
}

run "rights_to_send_mails" {
  module {
    source = "./../modules/workload-roles"
  }

  variables {
    name = "gatehouse"
    workloads = {
      worker = { service_account = "gatehouse-worker", secrets = ["keys"], mails = true }
      serve  = { service_account = "gatehouse-serve", secrets = ["keys"] }
    }
    secret_arns          = { keys = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys" }
    secrets_kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/mocked"
    signing_key_arn      = null
    database_resource_id = "db-0123"
    cache_arns           = []
    bus_arn              = "arn:aws:events:eu-central-1:111122223333:event-bus/gatehouse"
    ses_identities       = ["example.com"]
    mail_reports = {
      configuration_set_arn = "arn:aws:ses:eu-central-1:111122223333:configuration-set/gatehouse"
      queue_arn             = "arn:aws:sqs:eu-central-1:111122223333:gatehouse-mail-reports"
      kms_key_arn           = "arn:aws:kms:eu-central-1:111122223333:key/data"
    }
    pod_identity = null
    irsa         = null
    ecs          = true
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.this["worker"].policy, "ses:SendEmail") && strcontains(aws_iam_role_policy.this["worker"].policy, "arn:aws:ses:eu-central-1:111122223333:identity/example.com") && !strcontains(aws_iam_role_policy.this["serve"].policy, "ses:")
    error_message = "The process that does the jobs may send mails from the named identities, and no other process may."
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.this["worker"].policy, "configuration-set/gatehouse") && strcontains(aws_iam_role_policy.this["worker"].policy, "sqs:DeleteMessage") && strcontains(aws_iam_role_policy.this["worker"].policy, "sqs.eu-central-1.amazonaws.com") && !strcontains(aws_iam_role_policy.this["serve"].policy, "sqs")
    error_message = "The process that does the jobs needs the configuration set and the queue of reports, and no other process does."
  }
}

run "fargate_profile_uses_service_account_tokens" {
  variables {
    kubernetes = { fargate_profile = true, admin_role_arns = ["arn:aws:iam::111122223333:role/platform-admin"] }
  }

  assert {
    condition     = yamldecode(output.chart_values).serve.serviceAccount.annotations["eks.amazonaws.com/role-arn"] == output.workload_role_arns["serve"]
    error_message = "On Fargate, the chart needs the role in an annotation."
  }
}

run "without_kubernetes" {
  variables {
    kubernetes = { enabled = false }
    ecs        = true
    github     = null
  }

  assert {
    condition     = output.configure_kubectl == null && length(module.cluster) == 0
    error_message = "No cluster may be made."
  }
}

run "nothing_runs_gatehouse" {
  command = plan
  variables {
    kubernetes = { enabled = false }
  }
  expect_failures = [var.ecs]
}

run "no_backups" {
  command = plan
  variables {
    database = { backup_retention_days = 0 }
  }
  expect_failures = [var.database]
}

run "api_of_the_cluster_open_to_the_world" {
  command = plan
  variables {
    kubernetes = { public_access_cidrs = ["0.0.0.0/0"] }
  }
  expect_failures = [var.kubernetes]
}

run "one_zone" {
  command = plan
  variables {
    network = { zones = ["a"] }
  }
  expect_failures = [var.network]
}

run "old_cache" {
  command = plan
  variables {
    cache = { engine_version = "7.0" }
  }
  expect_failures = [var.cache]
}
