# One role for each process, with the rights of docs/secrets.md, docs/keys.md and docs/events.md that it needs, and no more.
# The trust policies are texts made here, not data sources, so that tests see what AWS gets.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.region
  aws     = "arn:${data.aws_partition.current.partition}"

  trust = { for key, workload in var.workloads : key => concat(
    var.pod_identity == null ? [] : [{
      Sid       = "PodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = { StringEquals = {
        "aws:RequestTag/eks-cluster-arn"            = var.pod_identity.cluster_arn
        "aws:RequestTag/kubernetes-namespace"       = var.pod_identity.namespace
        "aws:RequestTag/kubernetes-service-account" = workload.service_account
      } }
    }],
    var.irsa == null ? [] : [{
      Sid       = "ServiceAccountToken"
      Effect    = "Allow"
      Principal = { Federated = var.irsa.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "${var.irsa.issuer}:aud" = "sts.amazonaws.com"
        "${var.irsa.issuer}:sub" = "system:serviceaccount:${var.irsa.namespace}:${workload.service_account}"
      } }
    }],
    !var.ecs ? [] : [{
      Sid       = "EcsTask"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "${local.aws}:ecs:${local.region}:${local.account}:*" }
      }
    }],
  ) }

  rights = { for key, workload in var.workloads : key => concat(
    length(workload.secrets) == 0 ? [] : [{
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
      Resource = [for secret in sort(workload.secrets) : var.secret_arns[secret]]
    }],
    length(workload.secrets_written) == 0 ? [] : [{
      Sid      = "WriteKeys"
      Effect   = "Allow"
      Action   = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
      Resource = [for secret in sort(workload.secrets_written) : var.secret_arns[secret]]
    }],
    length(workload.secrets) == 0 ? [] : [{
      Sid       = "UseTheKeyOfTheSecrets"
      Effect    = "Allow"
      Action    = length(workload.secrets_written) == 0 ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [var.secrets_kms_key_arn]
      Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" } }
    }],
    workload.database_user == null ? [] : [{
      Sid      = "Database"
      Effect   = "Allow"
      Action   = ["rds-db:connect"]
      Resource = ["${local.aws}:rds-db:${local.region}:${local.account}:dbuser:${var.database_resource_id}/${workload.database_user}"]
    }],
    !workload.cache ? [] : [{
      Sid      = "Cache"
      Effect   = "Allow"
      Action   = ["elasticache:Connect"]
      Resource = var.cache_arns
    }],
    !workload.events ? [] : [{
      Sid       = "PublishEvents"
      Effect    = "Allow"
      Action    = ["events:PutEvents"]
      Resource  = [var.bus_arn]
      Condition = { StringEquals = { "events:source" = "gatehouse" } }
    }],
    !(workload.mails && length(var.ses_identities) > 0) ? [] : [{
      Sid    = "SendMails"
      Effect = "Allow"
      Action = ["ses:SendEmail"]
      # SES checks both, the identity and the configuration set that the mail names.
      Resource = concat(
        [for identity in sort(var.ses_identities) : "${local.aws}:ses:${local.region}:${local.account}:identity/${identity}"],
        var.mail_reports == null ? [] : [var.mail_reports.configuration_set_arn],
      )
    }],
    !(workload.mails && var.mail_reports != null) ? [] : [{
      Sid      = "ReadReportsAboutMails"
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
      Resource = [var.mail_reports.queue_arn]
    }],
    !(workload.mails && var.mail_reports != null) ? [] : [{
      Sid       = "UseTheKeyOfTheQueue"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = [var.mail_reports.kms_key_arn]
      Condition = { StringEquals = { "kms:ViaService" = "sqs.${local.region}.amazonaws.com" } }
    }],
    !(workload.signs && var.signing_key_arn != null) ? [] : [{
      Sid      = "SignTokens"
      Effect   = "Allow"
      Action   = ["kms:Sign", "kms:GetPublicKey"]
      Resource = [var.signing_key_arn]
    }],
  ) }
}

resource "aws_iam_role" "this" {
  for_each = var.workloads

  name               = "${var.name}-${each.key}"
  description        = "gatehouse ${each.key}"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = local.trust[each.key] })
}

resource "aws_iam_role_policy" "this" {
  for_each = var.workloads

  name   = "gatehouse"
  role   = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.rights[each.key] })
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = var.pod_identity == null ? {} : var.workloads

  cluster_name    = var.pod_identity.cluster_name
  namespace       = var.pod_identity.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.this[each.key].arn
}
