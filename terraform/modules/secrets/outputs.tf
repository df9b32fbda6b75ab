output "arns" {
  description = "The ARNs of the secrets, by the last part of their names."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.arn }
}

output "names" {
  description = "The names of the secrets, by the last part of their names."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.name }
}
