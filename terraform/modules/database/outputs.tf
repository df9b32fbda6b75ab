output "identifier" {
  description = "The identifier of the instance."
  value       = aws_db_instance.this.identifier
}

output "resource_id" {
  description = "The id that policies for rds-db:connect name."
  value       = aws_db_instance.this.resource_id
}

output "address" {
  description = "The host of the database. IAM tokens are for this name only."
  value       = aws_db_instance.this.address
}

output "master_secret_arn" {
  description = "The secret that RDS made for the administrator's password, for the one-time creation of the users."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}
