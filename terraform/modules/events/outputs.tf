output "bus_name" {
  description = "The name of the bus, for GATEHOUSE_EVENTS_SINK."
  value       = aws_cloudwatch_event_bus.this.name
}

output "bus_arn" {
  description = "The ARN of the bus, for events:PutEvents."
  value       = aws_cloudwatch_event_bus.this.arn
}

output "dead_letter_queue_name" {
  description = "The queue of events that could not be delivered."
  value       = aws_sqs_queue.dead_letters.name
}
