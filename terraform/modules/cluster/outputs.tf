output "name" {
  description = "The name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "arn" {
  description = "The ARN of the cluster."
  value       = aws_eks_cluster.this.arn
}

output "security_group_id" {
  description = "The security group of nodes and pods."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "oidc_issuer" {
  description = "The issuer of the cluster's tokens, without https://, or null without a Fargate profile."
  value       = var.fargate_profile ? trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://") : null
}

output "oidc_provider_arn" {
  description = "The IAM provider for tokens of the cluster, or null without a Fargate profile."
  value       = one(aws_iam_openid_connect_provider.cluster[*].arn)
}
