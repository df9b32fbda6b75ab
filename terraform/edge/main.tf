# The way in from the internet. Two HTTP APIs share one VPC link: the issuer's host has open routes only, and the API's host has
# the authorizer. AWS reads discovery when an authorizer is made, so the issuer's host must answer before. With one API for both,
# the stage would wait for the protected routes, they for the authorizer, and the authorizer for the stage.

data "aws_ssm_parameter" "platform" {
  name = "/${var.name}/platform/edge"
}

locals {
  platform = jsondecode(data.aws_ssm_parameter.platform.insecure_value)

  services = merge(var.services, {
    platform = { listener_arn = local.platform.listener_arn, server_name = var.load_balancer_server_name }
  })

  # Every public route of Gatehouse with its kind. A test compares it with provider/http/routes.ts.
  issuer_routes = jsondecode(file("${path.module}/issuer-routes.json"))
}

resource "aws_apigatewayv2_vpc_link" "this" {
  name               = var.name
  subnet_ids         = local.platform.vpc_link_subnet_ids
  security_group_ids = [local.platform.vpc_link_security_group_id]
}

module "issuer" {
  source = "../modules/http-api"

  name               = "${var.name}-issuer"
  domain_name        = trimprefix(var.issuer, "https://")
  certificate_arn    = var.issuer_certificate_arn
  zone_id            = var.zone_id
  vpc_link_id        = aws_apigatewayv2_vpc_link.this.id
  services           = { platform = local.services.platform }
  default_throttle   = { rate = 100, burst = 200 }
  kms_key_arn        = local.platform.log_kms_key_arn
  log_retention_days = var.log_retention_days

  open_routes = { for key, kind in local.issuer_routes : key => {
    service = "platform"
    rate    = var.issuer_throttle[kind].rate
    burst   = var.issuer_throttle[kind].burst
  } }
}

# A `check` block would only warn and go on, so this is a command whose failure ends the run before the authorizer is made.
# It runs again when the issuer or the audiences change, because AWS reads discovery again then.
resource "terraform_data" "discovery" {
  input            = { issuer = var.issuer, audiences = sort(var.audiences) }
  triggers_replace = [var.issuer, sort(var.audiences), module.issuer.ready]

  provisioner "local-exec" {
    command = "${abspath(path.module)}/scripts/wait-for-discovery.sh"
    environment = {
      ISSUER         = var.issuer
      SECONDS_TO_TRY = var.doctor.seconds
      DOCTOR         = join(" ", [for word in var.doctor.command : "'${replace(word, "'", "'\\''")}'"])
    }
  }
}

module "api" {
  source = "../modules/http-api"

  name               = "${var.name}-api"
  domain_name        = var.api_domain_name
  certificate_arn    = var.api_certificate_arn
  zone_id            = var.zone_id
  vpc_link_id        = aws_apigatewayv2_vpc_link.this.id
  services           = local.services
  protected_routes   = var.protected_routes
  cors               = var.cors
  default_throttle   = { rate = 100, burst = 200 }
  kms_key_arn        = local.platform.log_kms_key_arn
  log_retention_days = var.log_retention_days

  # Browsers ask by OPTIONS without a token: this route keeps that question away from the authorizer.
  open_routes = merge(var.open_routes, {
    "OPTIONS /{proxy+}" = { service = "platform", path = null, rate = 500, burst = 1000 }
  })

  # The values come from the check, so the authorizer waits for it.
  jwt = {
    issuer    = terraform_data.discovery.output.issuer
    audiences = terraform_data.discovery.output.audiences
  }
}

module "alarms" {
  source = "../modules/alarms"

  name      = "${var.name}-edge"
  topic_arn = local.platform.alarm_topic_arn
  alarms = merge([for key, api_id in { issuer = module.issuer.api_id, api = module.api.api_id } : {
    "${key}-errors" = {
      namespace   = "AWS/ApiGateway", metric = "5xx", dimensions = { ApiId = api_id }, statistic = "Sum", above = 10
      description = "API Gateway answers 5xx. A bare 500 at all routes: the name in load_balancer_server_name is not in the certificate."
    }
    "${key}-refused" = {
      namespace   = "AWS/ApiGateway", metric = "4xx", dimensions = { ApiId = api_id }, statistic = "Average", above = 0.5, minutes = 15
      description = "More than half of the requests are refused. The access log has the status and authorizerError of each."
    }
    "${key}-slow" = {
      namespace   = "AWS/ApiGateway", metric = "Latency", dimensions = { ApiId = api_id }, statistic = "p99", above = 3000, minutes = 10
      description = "One request in a hundred takes more than three seconds."
    }
  }]...)
}
