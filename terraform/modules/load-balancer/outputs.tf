output "listener_arn" {
  description = "The listener, for integrations of API Gateway and rules of your services."
  value       = aws_lb_listener.https.arn
}

output "target_group_arn" {
  description = "The target group of Gatehouse."
  value       = aws_lb_target_group.gatehouse.arn
}

output "link_security_group_id" {
  description = "The security group for the VPC link."
  value       = aws_security_group.link.id
}

output "security_group_id" {
  description = "The security group of the load balancer."
  value       = aws_security_group.this.id
}

output "dimension" {
  description = "The name of the load balancer in CloudWatch."
  value       = aws_lb.this.arn_suffix
}

output "target_group_dimension" {
  description = "The name of the target group in CloudWatch."
  value       = aws_lb_target_group.gatehouse.arn_suffix
}
