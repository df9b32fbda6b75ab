output "service_name" {
  description = "The name of the service."
  value       = aws_ecs_service.this.name
}

output "task_definition_arn" {
  description = "The task definition that runs."
  value       = aws_ecs_service.this.task_definition
}
