output "issuer" {
  description = "The issuer. It must equal that of the root `edge`, character for character."
  value       = var.issuer
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "The services."
  value       = [module.serve.service_name, module.worker.service_name]
}

output "image" {
  description = "The image that runs."
  value       = local.image
}

output "migration_command" {
  description = "The command that runs `gatehouse migrate` as a task, for run_migration = false."
  value = join(" ", [
    "AWS_REGION=${var.region} CLUSTER=${aws_ecs_cluster.this.name} TASK_DEFINITION=${aws_ecs_task_definition.migrate.arn}",
    "SUBNETS=${join(",", local.platform.subnet_ids)} SECURITY_GROUP=${local.platform.security_group_id}",
    "LOG_GROUP=${local.platform.log_group_name} terraform/fargate/scripts/run-task.sh",
  ])
}
