output "role_arns" {
  description = "The roles, by workload."
  value       = { for key, role in aws_iam_role.this : key => role.arn }
}
