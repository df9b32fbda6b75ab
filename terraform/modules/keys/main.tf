# Two keys for data, so that a role that may read the database's disks may not read secrets, and one that signs on request.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  root = {
    Sid       = "AccountDecidesByIAM"
    Effect    = "Allow"
    Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }
  use_it = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
  # Services that encrypt with the key on their own, for this account only.
  data_policy = {
    Version = "2012-10-17"
    Statement = [
      local.root,
      {
        Sid       = "LogGroupsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.current.region}.amazonaws.com" }
        Action    = local.use_it
        Resource  = "*"
        Condition = { ArnLike = {
          "kms:EncryptionContext:aws:logs:arn" = "arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:log-group:*"
        } }
      },
      {
        Sid       = "EventsAndAlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "cloudwatch.amazonaws.com"] }
        Action    = local.use_it
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      },
    ]
  }
}

resource "aws_kms_key" "data" {
  description             = "${var.name}: database, cache, queues, logs, images"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode(local.data_policy)
}

resource "aws_kms_alias" "data" {
  name          = "alias/${var.name}-data"
  target_key_id = aws_kms_key.data.key_id
}

resource "aws_kms_key" "secrets" {
  description             = "${var.name}: secrets and signing keys in Secrets Manager"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = [local.root] })
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/${var.name}-secrets"
  target_key_id = aws_kms_key.secrets.key_id
}

resource "aws_kms_key" "signing" {
  # checkov:skip=CKV_AWS_7:AWS rotates no asymmetric keys. `gatehouse keys rotate --kms` moves to a new one.
  count = var.signing_key ? 1 : 0

  description              = "${var.name}: signs tokens"
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 30
  policy                   = jsonencode({ Version = "2012-10-17", Statement = [local.root] })
}
