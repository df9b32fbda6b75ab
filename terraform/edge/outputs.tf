output "issuer" {
  description = "The issuer. It must equal GATEHOUSE_ISSUER, character for character."
  value       = var.issuer
}

output "authorizer" {
  description = "The issuer and the audiences that API Gateway checks."
  value       = module.api.authorizer
}

output "dns_targets" {
  description = "What the DNS records of both hosts point to, if zone_id is null."
  value = {
    (trimprefix(var.issuer, "https://")) = module.issuer.target
    (var.api_domain_name)                = module.api.target
  }
}

output "api_routes" {
  description = "Every route of the API with its scopes; none for open routes."
  value       = module.api.routes
}

output "try_it" {
  description = "Commands that show that the edge works: 401 without a token."
  value = [
    "gatehouse doctor --issuer ${var.issuer}",
    "curl --silent --include https://${var.api_domain_name}${split(" ", sort(keys(var.protected_routes))[0])[1]}",
  ]
}
