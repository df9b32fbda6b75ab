# What matters in a plan of the edge. No call leaves the machine: the provider is mocked, and the doctor is `true`.

mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = {
      insecure_value = "{\"vpc_link_subnet_ids\":[\"subnet-1\",\"subnet-2\"],\"vpc_link_security_group_id\":\"sg-link\",\"listener_arn\":\"arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/app/gatehouse/1/2\",\"log_kms_key_arn\":\"arn:aws:kms:eu-central-1:111122223333:key/data\",\"alarm_topic_arn\":\"arn:aws:sns:eu-central-1:111122223333:alarms\"}"
    }
  }
}

variables {
  region                    = "eu-central-1"
  issuer                    = "https://id.example.com"
  issuer_certificate_arn    = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000001"
  api_domain_name           = "api.example.com"
  api_certificate_arn       = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000002"
  zone_id                   = "Z0123"
  audiences                 = ["https://api.example.com"]
  load_balancer_server_name = "lb.example.com"
  doctor                    = { command = ["true"], seconds = 0 }
  open_routes = {
    "GET /v1/health"      = {}
    "POST /v1/auth/login" = { path = "/auth/login" }
  }
  protected_routes = {
    "GET /v1/contracts"  = { scopes = ["contracts:read"] }
    "POST /v1/contracts" = { scopes = ["contracts:write"], rate = 10, burst = 20 }
  }
}

run "whole" {
  assert {
    condition     = output.authorizer.issuer == var.issuer && terraform_data.discovery.input.issuer == var.issuer
    error_message = "The authorizer and the check before it must have the issuer, character for character."
  }
  assert {
    condition     = output.authorizer.audience == toset(["https://api.example.com"])
    error_message = "The authorizer must have exactly the audiences that were named."
  }
  assert {
    condition     = aws_apigatewayv2_vpc_link.this.security_group_ids == toset(["sg-link"])
    error_message = "The VPC link must use the group that may reach the load balancer and nothing else."
  }
  assert {
    condition     = output.api_routes["GET /v1/contracts"] == tolist(["contracts:read"]) && length(output.api_routes["OPTIONS /{proxy+}"]) == 0
    error_message = "Protected routes need their scopes, and OPTIONS must be open."
  }
  assert {
    condition     = length(local.issuer_routes) > 50 && alltrue([for kind in values(local.issuer_routes) : contains(keys(var.issuer_throttle), kind)])
    error_message = "A route of the issuer has no throttle."
  }
  assert {
    condition     = !contains([for key in keys(local.issuer_routes) : split(" ", key)[1]], "/auth/verify")
    error_message = "/auth/verify is for gateways inside, not for the internet."
  }
}

run "api" {
  module {
    source = "./../modules/http-api"
  }

  variables {
    name               = "gatehouse-api"
    domain_name        = "api.example.com"
    certificate_arn    = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000002"
    vpc_link_id        = "link"
    services           = { platform = { listener_arn = "arn:listener", server_name = "lb.example.com" } }
    default_throttle   = { rate = 100, burst = 200 }
    kms_key_arn        = "arn:aws:kms:eu-central-1:111122223333:key/data"
    log_retention_days = 365
    jwt                = { issuer = "https://id.example.com", audiences = ["https://api.example.com"] }
    open_routes = {
      "GET /v1/health"      = { service = "platform", rate = 50, burst = 100 }
      "OPTIONS /{proxy+}"   = { service = "platform", rate = 50, burst = 100 }
      "POST /v1/auth/login" = { service = "platform", path = "/auth/login", rate = 50, burst = 100 }
    }
    protected_routes = {
      "GET /v1/contracts" = { service = "platform", scopes = ["contracts:read"], rate = 100, burst = 200 }
    }
  }

  assert {
    condition     = aws_apigatewayv2_api.this.disable_execute_api_endpoint == true
    error_message = "The default address of AWS must be off."
  }
  assert {
    condition     = alltrue([for integration in values(aws_apigatewayv2_integration.this) : try(integration.tls_config[0].server_name_to_verify == "lb.example.com", false) && integration.connection_type == "VPC_LINK"])
    error_message = "API Gateway must speak TLS to the load balancer and verify the name."
  }
  assert {
    condition = alltrue([for key, integration in aws_apigatewayv2_integration.this : alltrue([for header in ["subject", "client", "scope", "token-id", "roles", "permissions", "email"] :
    lookup(integration.request_parameters, "remove:header.x-caller-${header}", "") == "''"]) if startswith(key, "open ")])
    error_message = "An open route lets an identity header of the caller through."
  }
  assert {
    condition     = alltrue([for header, claim in { subject = "sub", client = "client_id", scope = "scope", token-id = "jti" } : lookup(aws_apigatewayv2_integration.this["protected platform"].request_parameters, "overwrite:header.x-caller-${header}", "") == "$context.authorizer.claims.${claim}"])
    error_message = "A protected route does not overwrite an identity header."
  }
  assert {
    condition     = alltrue([for header in ["roles", "permissions", "email"] : lookup(aws_apigatewayv2_integration.this["protected platform"].request_parameters, "remove:header.x-caller-${header}", "") == "''"])
    error_message = "A protected route lets a header through whose claim may be missing."
  }
  assert {
    condition     = alltrue([for route in values(aws_apigatewayv2_route.protected) : route.authorization_type == "JWT" && length(route.authorization_scopes) > 0])
    error_message = "A protected route has no authorizer or no scope."
  }
  assert {
    condition     = alltrue([for route in values(aws_apigatewayv2_route.open) : route.authorization_type == "NONE" && route.authorizer_id == null])
    error_message = "An open route has an authorizer."
  }
  assert {
    condition     = aws_apigatewayv2_integration.this["open platform /auth/login"].request_parameters["overwrite:path"] == "/auth/login" && !contains(keys(aws_apigatewayv2_integration.this["open platform "].request_parameters), "overwrite:path")
    error_message = "The path that the service sees is wrong."
  }
  assert {
    condition     = toset([for settings in aws_apigatewayv2_stage.this.route_settings : settings.route_key]) == toset(concat(keys(var.open_routes), keys(var.protected_routes)))
    error_message = "A route has no throttle of its own."
  }
  assert {
    condition     = alltrue([for settings in concat(tolist(aws_apigatewayv2_stage.this.route_settings), tolist(aws_apigatewayv2_stage.this.default_route_settings)[*]) : settings.throttling_rate_limit > 0 && settings.throttling_burst_limit > 0])
    error_message = "A throttle is 0: API Gateway would refuse every request."
  }
  assert {
    condition     = alltrue([for settings in aws_apigatewayv2_stage.this.route_settings : settings.logging_level == null && settings.data_trace_enabled == null])
    error_message = "logging_level and data_trace_enabled are for WebSocket APIs."
  }
  assert {
    condition     = aws_apigatewayv2_stage.this.name == "$default" && aws_apigatewayv2_stage.this.auto_deploy == true
    error_message = "Another stage would be put in front of each path."
  }
  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).sub == "$context.authorizer.claims.sub" && jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).jti == "$context.authorizer.claims.jti"
    error_message = "The access log must hold sub and jti of the token."
  }
  assert {
    condition     = length(aws_apigatewayv2_stage.this.access_log_settings[0].format) < 3072
    error_message = "AWS allows 3 KB for the format of the access log."
  }
  assert {
    condition     = aws_apigatewayv2_domain_name.this.domain_name_configuration[0].security_policy == "TLS_1_2"
    error_message = "The host must refuse TLS before 1.2."
  }
}

run "issuer_with_a_slash" {
  command = plan
  variables { issuer = "https://id.example.com/" }
  expect_failures = [var.issuer]
}

run "issuer_in_capitals" {
  command = plan
  variables { issuer = "https://ID.example.com" }
  expect_failures = [var.issuer]
}

run "one_host_for_both" {
  command = plan
  variables { api_domain_name = "id.example.com" }
  expect_failures = [var.api_domain_name]
}

run "audience_that_is_a_client" {
  command = plan
  variables { audiences = ["web-app"] }
  expect_failures = [var.audiences]
}

run "cors_for_everyone" {
  command = plan
  variables { cors = { allow_origins = ["*"] } }
  expect_failures = [var.cors]
}

run "throttle_of_zero" {
  command = plan
  variables {
    issuer_throttle = {
      keys = { rate = 0, burst = 0 }, sign-in = { rate = 1, burst = 1 }, token = { rate = 1, burst = 1 }
      page = { rate = 1, burst = 1 }, browser = { rate = 1, burst = 1 }
    }
  }
  expect_failures = [var.issuer_throttle]
}
