# The bus for Gatehouse's events (docs/events.md), an archive to replay them, and a queue for those that could not be delivered.

data "aws_caller_identity" "current" {}

resource "aws_cloudwatch_event_bus" "this" {
  name               = var.name
  description        = "Events of Gatehouse"
  kms_key_identifier = var.kms_key_arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

resource "aws_cloudwatch_event_archive" "this" {
  name               = var.name
  description        = "All events of Gatehouse, for a replay"
  event_source_arn   = aws_cloudwatch_event_bus.this.arn
  retention_days     = var.archive_days
  kms_key_identifier = var.kms_key_arn
  event_pattern      = jsonencode({ source = ["gatehouse"] })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-events-undelivered"
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead_letters.arn
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_cloudwatch_log_group" "security" {
  # checkov:skip=CKV_AWS_338:The days are a variable of the root; its default is a year.
  # EventBridge writes only to groups below /aws/events/.
  name              = "/aws/events/${var.name}-security"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_resource_policy" "security" {
  policy_name = "${var.name}-security-events"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.security.arn}:*"
    }]
  })
}

resource "aws_cloudwatch_event_rule" "security" {
  name           = "${var.name}-security"
  description    = "Events that a security team looks at"
  event_bus_name = aws_cloudwatch_event_bus.this.name
  event_pattern  = jsonencode({ source = ["gatehouse"], detail-type = sort(var.security_event_types) })
}

resource "aws_cloudwatch_event_target" "security" {
  rule           = aws_cloudwatch_event_rule.security.name
  event_bus_name = aws_cloudwatch_event_bus.this.name
  target_id      = "log"
  arn            = aws_cloudwatch_log_group.security.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }
}

resource "aws_cloudwatch_event_rule" "subscriber" {
  for_each = var.subscribers

  name           = "${var.name}-${each.key}"
  description    = "Events for ${each.key}"
  event_bus_name = aws_cloudwatch_event_bus.this.name
  event_pattern  = jsonencode({ source = ["gatehouse"], detail-type = sort(each.value.event_types) })
}

resource "aws_cloudwatch_event_target" "subscriber" {
  for_each = var.subscribers

  rule           = aws_cloudwatch_event_rule.subscriber[each.key].name
  event_bus_name = aws_cloudwatch_event_bus.this.name
  target_id      = "queue"
  arn            = each.value.queue_arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }
}
