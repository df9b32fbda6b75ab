output "api_id" {
  description = "The id of the API."
  value       = aws_apigatewayv2_api.this.id
}

output "target" {
  description = "What the DNS record of the host points to."
  value       = aws_apigatewayv2_domain_name.this.domain_name_configuration[0].target_domain_name
}

output "ready" {
  description = "Known when requests to the host get through, as far as AWS tells."
  value       = [aws_apigatewayv2_api_mapping.this.id, [for record in aws_route53_record.this : record.fqdn]]
}

output "authorizer" {
  description = "The issuer and the audiences that API Gateway was given, or null."
  value       = one([for authorizer in aws_apigatewayv2_authorizer.jwt : authorizer.jwt_configuration[0]])
}

output "routes" {
  description = "Every route, with its scopes; none for open routes."
  value = merge(
    { for key, route in aws_apigatewayv2_route.open : key => [] },
    { for key, route in aws_apigatewayv2_route.protected : key => sort(route.authorization_scopes) },
  )
}
