# Alarms on what AWS runs. Alarms on Gatehouse itself are in the chart (docs/operate.md).

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = module.keys.data_key_arn
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

locals {
  gib = 1024 * 1024 * 1024

  database_dimension = { DBInstanceIdentifier = module.database.identifier }
  balancer_dimension = { LoadBalancer = module.load_balancer.dimension }
  target_dimension   = { LoadBalancer = module.load_balancer.dimension, TargetGroup = module.load_balancer.target_group_dimension }
  # AWS numbers the nodes of a replication group.
  cache_nodes = [for number in range(1, local.cache.nodes + 1) : format("%s-%03d", var.name, number)]

  alarms = merge(
    {
      database-cpu = {
        namespace   = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database_dimension, above = 80, minutes = 10
        description = "The database is busy. Look at Performance Insights; then choose a larger instance."
      }
      database-storage = {
        namespace   = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database_dimension, minutes = 10
        below       = local.database.allocated_storage_gib * local.gib / 10
        description = "Less than a tenth of the database's disk is free. It grows by itself up to max_storage_gib."
      }
      database-memory = {
        namespace   = "AWS/RDS", metric = "FreeableMemory", dimensions = local.database_dimension, minutes = 10
        below       = local.size.database_memory_gib * local.gib / 20
        description = "The database has hardly any memory left. Choose a larger instance, or fewer connections."
      }
      database-connections = {
        namespace   = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database_dimension
        above       = local.size.connections
        description = "Many connections. Processes times GATEHOUSE_DATABASE_POOL_MAX must stay below the limit of the instance."
      }
      load-balancer-unhealthy = {
        namespace   = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.target_dimension, statistic = "Maximum", above = 0
        description = "A server has not been ready for five minutes: see /readyz in docs/operate.md."
      }
      load-balancer-none-healthy = {
        namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.target_dimension, statistic = "Minimum", below = 1, minutes = 2, missing = "breaching"
        # Without any registered server, AWS sends no numbers at all. So this alarm also rings until Gatehouse is installed.
        description = "No server is ready: people cannot sign in."
      }
      load-balancer-errors = {
        namespace   = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer_dimension, statistic = "Sum", above = 10
        description = "The load balancer itself answers 5xx: no healthy server, or connections that end too early."
      }
      server-errors = {
        namespace   = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.target_dimension, statistic = "Sum", above = 10
        description = "Gatehouse answers 5xx: see its log."
      }
      slow-answers = {
        namespace   = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.target_dimension, statistic = "p99", above = 2, minutes = 10
        description = "One answer in a hundred takes more than two seconds: too few servers for the sign-ins."
      }
      events-undelivered = {
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = module.events.dead_letter_queue_name }
        statistic   = "Maximum", above = 0, minutes = 1
        description = "An event could not be delivered for a day. Mend the target, then replay it from the archive."
      }
    },
    local.sends_by_ses ? {
      mail-reports-unread = {
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = module.mail_reports[0].dead_letter_queue_name }
        statistic   = "Maximum", above = 0, minutes = 1
        description = "A bounce or complaint could not be read. Look at it in the queue; docs/mail.md says what Gatehouse reads."
      }
    } : {},
    { for node in local.cache_nodes : "cache-memory-${node}" => {
      namespace   = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }, above = 70
      description = "The cache fills up. It evicts nothing: when it is full, sign-ins fail. Choose a larger node."
    } },
    { for node in local.cache_nodes : "cache-cpu-${node}" => {
      namespace   = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }, above = 80
      description = "The cache is busy. Choose a larger node."
    } },
  )
}

module "alarms" {
  source = "../modules/alarms"

  name      = var.name
  topic_arn = aws_sns_topic.alarms.arn
  alarms    = local.alarms
}

# The log of Gatehouse's own containers, for a log collector in the cluster, and for the root `fargate`.
resource "aws_cloudwatch_log_group" "gatehouse" {
  # checkov:skip=CKV_AWS_338:The days are a variable; its default is a year.
  name              = "/${var.name}/gatehouse"
  retention_in_days = var.log_retention_days
  kms_key_id        = module.keys.data_key_arn
}
