# An HTTP API with a host of its own. Every route is named, has its own limit, and leads through the VPC link by TLS.

locals {
  # What services read as the caller (docs/api-gateway.md). Only claims that every access token has: if one were missing,
  # the header of the caller would get through.
  identity = {
    "x-caller-subject"  = "$context.authorizer.claims.sub"
    "x-caller-client"   = "$context.authorizer.claims.client_id"
    "x-caller-scope"    = "$context.authorizer.claims.scope"
    "x-caller-token-id" = "$context.authorizer.claims.jti"
  }
  # Headers that look like these are removed on every route: their claims are missing in some tokens.
  never = ["x-caller-roles", "x-caller-permissions", "x-caller-email"]

  removed_always    = { for header in local.never : "remove:header.${header}" => "''" }
  open_headers      = merge(local.removed_always, { for header in keys(local.identity) : "remove:header.${header}" => "''" })
  protected_headers = merge(local.removed_always, { for header, claim in local.identity : "overwrite:header.${header}" => claim })

  # Open and protected routes of one service need integrations of their own, because the headers belong to the integration.
  open_integrations = { for route in values(var.open_routes) : "open ${route.service} ${route.path == null ? "" : route.path}" => {
    service    = route.service
    parameters = merge(local.open_headers, { for path in compact([route.path]) : "overwrite:path" => path })
  }... }
  protected_integrations = { for route in values(var.protected_routes) : "protected ${route.service}" => {
    service    = route.service
    parameters = local.protected_headers
  }... }
  integrations = merge(
    { for key, same in local.open_integrations : key => same[0] },
    { for key, same in local.protected_integrations : key => same[0] },
  )
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  protocol_type = "HTTP"
  # Only the host of its own leads here.
  disable_execute_api_endpoint = true

  dynamic "cors_configuration" {
    for_each = var.cors == null ? [] : [var.cors]
    content {
      allow_origins     = cors_configuration.value.allow_origins
      allow_methods     = cors_configuration.value.allow_methods
      allow_headers     = cors_configuration.value.allow_headers
      expose_headers    = cors_configuration.value.expose_headers
      allow_credentials = cors_configuration.value.allow_credentials
      max_age           = cors_configuration.value.max_age
    }
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = local.integrations

  api_id                 = aws_apigatewayv2_api.this.id
  description            = each.key
  integration_type       = "HTTP_PROXY"
  integration_method     = "ANY"
  integration_uri        = var.services[each.value.service].listener_arn
  connection_type        = "VPC_LINK"
  connection_id          = var.vpc_link_id
  payload_format_version = "1.0"
  timeout_milliseconds   = 30000
  request_parameters     = each.value.parameters

  # Without this block, API Gateway speaks plain HTTP. The name must be in the certificate of the load balancer.
  tls_config {
    server_name_to_verify = var.services[each.value.service].server_name
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_route" "open" {
  # checkov:skip=CKV_AWS_309:These routes are open on purpose and each is named: pages, discovery, and endpoints that check callers themselves.
  for_each = var.open_routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = "NONE"
  target             = "integrations/${aws_apigatewayv2_integration.this["open ${each.value.service} ${each.value.path == null ? "" : each.value.path}"].id}"
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.this.id
  name             = "gatehouse"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audiences
  }

  lifecycle {
    precondition {
      condition     = can(regex("^https://[^/?#]+(/[^?#]*[^/?#])?$", var.jwt.issuer))
      error_message = "The issuer of the authorizer must be an https URL without a slash at its end: it is compared with `iss` character for character."
    }
    precondition {
      condition     = length(var.jwt.audiences) >= 1 && length(var.jwt.audiences) <= 50
      error_message = "The authorizer needs one to fifty audiences."
    }
  }
}

resource "aws_apigatewayv2_route" "protected" {
  for_each = var.protected_routes

  api_id               = aws_apigatewayv2_api.this.id
  route_key            = each.key
  authorization_type   = "JWT"
  authorizer_id        = aws_apigatewayv2_authorizer.jwt[0].id
  authorization_scopes = each.value.scopes
  target               = "integrations/${aws_apigatewayv2_integration.this["protected ${each.value.service}"].id}"
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338:The days are a variable of the root; its default is a year.
  name              = "/aws/vendedlogs/${var.name}/access"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_apigatewayv2_stage" "this" {
  api_id = aws_apigatewayv2_api.this.id
  # With another name, the stage would be put in front of each path.
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId        = "$context.requestId"
      time             = "$context.requestTimeEpoch"
      address          = "$context.identity.sourceIp"
      userAgent        = "$context.identity.userAgent"
      method           = "$context.httpMethod"
      route            = "$context.routeKey"
      status           = "$context.status"
      bytes            = "$context.responseLength"
      milliseconds     = "$context.responseLatency"
      serviceStatus    = "$context.integration.status"
      serviceError     = "$context.integrationErrorMessage"
      authorizerError  = "$context.authorizer.error"
      sub              = "$context.authorizer.claims.sub"
      jti              = "$context.authorizer.claims.jti"
      client           = "$context.authorizer.claims.client_id"
      serviceRequestId = "$context.integration.requestId"
    })
  }

  default_route_settings {
    detailed_metrics_enabled = true
    throttling_rate_limit    = var.default_throttle.rate
    throttling_burst_limit   = var.default_throttle.burst
  }

  # These blocks inherit nothing from the default: each needs all of its values.
  dynamic "route_settings" {
    for_each = merge(
      { for key, route in var.open_routes : key => { rate = route.rate, burst = route.burst } },
      { for key, route in var.protected_routes : key => { rate = route.rate, burst = route.burst } },
    )
    content {
      route_key                = route_settings.key
      detailed_metrics_enabled = true
      throttling_rate_limit    = route_settings.value.rate
      throttling_burst_limit   = route_settings.value.burst
    }
  }

  # AWS refuses settings of routes that are not there yet.
  depends_on = [aws_apigatewayv2_route.open, aws_apigatewayv2_route.protected]
}

resource "aws_apigatewayv2_domain_name" "this" {
  domain_name = var.domain_name

  domain_name_configuration {
    certificate_arn = var.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this.domain_name
  stage       = aws_apigatewayv2_stage.this.name
}

resource "aws_route53_record" "this" {
  for_each = var.zone_id == null ? toset([]) : toset(["A"])

  zone_id = var.zone_id
  name    = var.domain_name
  type    = each.key

  alias {
    name                   = aws_apigatewayv2_domain_name.this.domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.this.domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}
