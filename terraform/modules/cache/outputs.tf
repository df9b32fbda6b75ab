output "arn" {
  description = "The ARN of the replication group, for elasticache:Connect."
  value       = aws_elasticache_replication_group.this.arn
}

output "user_arn" {
  description = "The ARN of the user, for elasticache:Connect."
  value       = aws_elasticache_user.gatehouse.arn
}

output "user_name" {
  description = "The user of Gatehouse."
  value       = aws_elasticache_user.gatehouse.user_name
}

output "name" {
  description = "The name of the replication group, which IAM tokens name."
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "address" {
  description = "The host of the primary node; it stays the same after a failover."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}
