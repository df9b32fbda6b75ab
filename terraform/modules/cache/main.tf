# Valkey, with a copy in another zone. Sign-in is by IAM tokens, so there is no password.

resource "aws_security_group" "this" {
  name        = "${var.name}-cache"
  description = "Valkey, for the workloads of Gatehouse"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-cache" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "Valkey from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = each.value
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-valkey${split(".", var.settings.engine_version)[0]}"
  family      = "valkey${split(".", var.settings.engine_version)[0]}"
  description = "Gatehouse"

  # Other policies drop sessions, refresh tokens, and the record of a used proof (docs/running.md).
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The id and the name must be equal for IAM. The rights are those of docs/secrets.md.
resource "aws_elasticache_user" "gatehouse" {
  user_id       = var.name
  user_name     = var.name
  engine        = "valkey"
  access_string = "on resetkeys ~gatehouse:* resetchannels -@all +@read +@write +@scripting +@connection -@dangerous +info +cluster|slots +cluster|shards +cluster|nodes +cluster|info +time"

  authentication_mode {
    type = "iam"
  }
}

# A group of Valkey users needs no user `default`, and refuses one without a password.
resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.gatehouse.user_id]
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:The days are a variable of the root; its default is a year.
  name              = "/aws/vendedlogs/${var.name}/cache"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_elasticache_replication_group" "this" {
  # checkov:skip=CKV_AWS_31:The check asks for an auth token. Users with IAM tokens are stronger, and AWS allows only one of both.
  replication_group_id = var.name
  description          = "Gatehouse: sessions, codes and refresh tokens"
  engine               = "valkey"
  engine_version       = var.settings.engine_version
  node_type            = var.settings.node_type
  port                 = 6379

  num_cache_clusters         = var.settings.nodes
  automatic_failover_enabled = true
  multi_az_enabled           = true

  # Users and TLS from the first apply: AWS refuses to switch both on later in one change.
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn

  parameter_group_name = aws_elasticache_parameter_group.this.name
  subnet_group_name    = aws_elasticache_subnet_group.this.name
  security_group_ids   = [aws_security_group.this.id]

  snapshot_retention_limit   = var.settings.snapshot_retention_days
  snapshot_window            = "01:00-02:00"
  maintenance_window         = "sun:04:30-sun:05:30"
  auto_minor_version_upgrade = true
  apply_immediately          = false

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.this.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "engine-log"
  }
}
