# The internal load balancer. Only the VPC link of API Gateway may call it, by TLS.

resource "aws_security_group" "link" {
  # checkov:skip=CKV2_AWS_5:The root `edge` attaches it to the VPC link.
  name        = "${var.name}-link"
  description = "The VPC link of API Gateway"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-link" }
}

resource "aws_security_group" "this" {
  name        = "${var.name}-lb"
  description = "The internal load balancer"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-lb" }
}

resource "aws_vpc_security_group_egress_rule" "link" {
  security_group_id            = aws_security_group.link.id
  description                  = "TLS to the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.this.id
}

resource "aws_vpc_security_group_ingress_rule" "link" {
  security_group_id            = aws_security_group.this.id
  description                  = "TLS from the VPC link"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.link.id
}

locals {
  ports = { public = 3000, operations = 9090 }
  paths = merge([for name, port in local.ports : {
    for client, group in var.target_security_group_ids : "${client}-${name}" => { group = group, port = port }
  }]...)
}

resource "aws_vpc_security_group_egress_rule" "targets" {
  for_each = local.paths

  security_group_id            = aws_security_group.this.id
  description                  = "To ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = each.value.group
}

# Auto Mode changes only security groups of its own, so the way to the pods is opened here.
resource "aws_vpc_security_group_ingress_rule" "targets" {
  for_each = local.paths

  security_group_id            = each.value.group
  description                  = "From the load balancer, ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.this.id
}

resource "aws_lb" "this" {
  # checkov:skip=CKV_AWS_91:Access logs are on when a bucket is named. API Gateway logs each request anyway, and so does Gatehouse.
  # checkov:skip=CKV_AWS_150:deletion_protection is a variable of the root, on by default; a teardown switches it off first.
  # checkov:skip=CKV2_AWS_28:The load balancer is internal. A WAF belongs in front of API Gateway (CloudFront); Gatehouse has rate limits.
  name               = var.name
  internal           = true
  load_balancer_type = "application"
  subnets            = var.subnet_ids
  security_groups    = [aws_security_group.this.id]

  # Gatehouse keeps idle connections for 65 seconds; this must be shorter.
  idle_timeout               = 60
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  # The address of the caller is in `Forwarded`, from API Gateway. Host is the name that TLS verified.
  preserve_host_header       = true
  xff_header_processing_mode = "append"
  desync_mitigation_mode     = "defensive"
  enable_zonal_shift         = true

  dynamic "access_logs" {
    for_each = var.access_logs_bucket == null ? [] : [var.access_logs_bucket]
    content {
      bucket  = access_logs.value
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "gatehouse" {
  # checkov:skip=CKV_AWS_378:TLS ends at the load balancer; the way from there is one VPC, open to the load balancer's group alone (docs/running.md).
  name        = var.name
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 3000

  # A pod goes on for 15 + 5 seconds after it left; requests take at most 30.
  deregistration_delay = "30"

  health_check {
    protocol            = "HTTP"
    port                = "9090"
    path                = "/readyz"
    matcher             = "200"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  # Auto Mode registers pods only in target groups with this tag.
  tags = var.cluster_name == null ? {} : { "eks:eks-cluster-name" = var.cluster_name }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  # Your services add rules with paths of their own, such as /v1/contracts*.
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.gatehouse.arn
  }
}
