output "data_key_arn" {
  description = "The key that encrypts the database, the cache, queues, logs and images."
  value       = aws_kms_key.data.arn
}

output "secrets_key_arn" {
  description = "The key that encrypts secrets and signing keys."
  value       = aws_kms_key.secrets.arn
}

output "signing_key_arn" {
  description = "The key that signs tokens, or null."
  value       = one(aws_kms_key.signing[*].arn)
}
