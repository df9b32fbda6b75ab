output "settings" {
  description = "The settings of Gatehouse that use the configuration set and the queue."
  value = {
    GATEHOUSE_SES_CONFIGURATION_SET = aws_sesv2_configuration_set.this.configuration_set_name
    GATEHOUSE_MAIL_FEEDBACK_QUEUE   = aws_sqs_queue.this.url
  }
}

output "configuration_set_arn" {
  description = "The ARN of the configuration set, for ses:SendEmail."
  value       = aws_sesv2_configuration_set.this.arn
}

output "queue_arn" {
  description = "The ARN of the queue, for sqs:ReceiveMessage and sqs:DeleteMessage."
  value       = aws_sqs_queue.this.arn
}

output "dead_letter_queue_name" {
  description = "The queue of reports that could not be read or delivered."
  value       = aws_sqs_queue.dead_letters.name
}
