output "role_arns" {
  description = "The roles for the variables of the workflows."
  value = {
    plan   = aws_iam_role.plan.arn
    push   = aws_iam_role.push.arn
    deploy = aws_iam_role.deploy.arn
  }
}

output "subjects" {
  description = "The subjects of GitHub's tokens that each role accepts, for a comparison with what a failed run prints."
  value       = local.subjects
}
