# A service on Fargate. A deployment that fails goes back by itself, and Terraform then reports an error.

locals {
  config_folder = "/etc/gatehouse/config"
  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = var.log_group_name
      awslogs-region        = var.region
      awslogs-stream-prefix = var.command
      # A slow log service must not stop sign-ins.
      mode            = "non-blocking"
      max-buffer-size = "25m"
    }
  }

  # The image has no shell: Node writes the documents into a volume that both containers share. The volume belongs to root.
  config_container = {
    name       = "config"
    image      = var.image
    essential  = false
    user       = "0"
    entryPoint = ["/nodejs/bin/node"]
    command = ["-e", join("", [
      "for (const [name, text] of Object.entries(JSON.parse(process.env.DOCUMENTS))) ",
      "require('node:fs').writeFileSync('${local.config_folder}/' + name, text)",
    ])]
    environment            = [{ name = "DOCUMENTS", value = jsonencode(var.documents) }]
    mountPoints            = [{ sourceVolume = "config", containerPath = local.config_folder, readOnly = false }]
    readonlyRootFilesystem = true
    logConfiguration       = local.log
  }

  gatehouse_container = {
    name        = "gatehouse"
    image       = var.image
    essential   = true
    command     = [var.command]
    user        = "65532"
    environment = [for key in sort(keys(var.environment)) : { name = key, value = var.environment[key] }]
    portMappings = [
      { containerPort = 3000, protocol = "tcp", name = "http" },
      { containerPort = 9090, protocol = "tcp", name = "operations" },
    ]
    mountPoints            = length(var.documents) == 0 ? [] : [{ sourceVolume = "config", containerPath = local.config_folder, readOnly = true }]
    dependsOn              = length(var.documents) == 0 ? [] : [{ containerName = "config", condition = "SUCCESS" }]
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
    # The delay and the time for requests under way (GATEHOUSE_SHUTDOWN_…), and ten seconds more.
    stopTimeout = 60
    healthCheck = {
      command = ["CMD", "/nodejs/bin/node", "-e",
      "fetch('http://127.0.0.1:9090/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
      interval    = 10
      timeout     = 5
      retries     = 6
      startPeriod = 90
    }
    logConfiguration = local.log
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.size.cpu)
  memory                   = tostring(var.size.memory)
  task_role_arn            = var.task_role_arn
  execution_role_arn       = var.execution_role_arn
  container_definitions = jsonencode(concat(
    [local.gatehouse_container],
    [for container in [local.config_container] : container if length(var.documents) > 0],
  ))

  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }

  dynamic "volume" {
    for_each = length(var.documents) == 0 ? [] : ["config"]
    content {
      name = volume.value
    }
  }
}

resource "aws_ecs_service" "this" {
  name                          = var.name
  cluster                       = var.cluster_arn
  task_definition               = aws_ecs_task_definition.this.arn
  launch_type                   = "FARGATE"
  platform_version              = "LATEST"
  desired_count                 = var.tasks.min
  availability_zone_rebalancing = "ENABLED"
  enable_execute_command        = false
  propagate_tags                = "SERVICE"

  # New tasks start before old ones stop.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = var.target_group_arn == null ? null : 90

  # Off by default in ECS: without it, a broken release starts new tasks without an end.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  wait_for_steady_state = true

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = var.target_group_arn == null ? [] : [var.target_group_arn]
    content {
      target_group_arn = load_balancer.value
      container_name   = "gatehouse"
      container_port   = 3000
    }
  }

  lifecycle {
    # Autoscaling decides.
    ignore_changes = [desired_count]

    # ECS reports success after the circuit breaker went back to the old release.
    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.this.arn
      error_message = "The new release did not start, and ECS went back to ${self.task_definition}. The log group has the reason, and so have the stopped tasks: aws ecs describe-tasks."
    }
  }
}

resource "aws_appautoscaling_target" "this" {
  count = var.tasks.max > var.tasks.min ? 1 : 0

  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster_name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
}

# Hashing passwords is what costs: CPU is the right measure.
resource "aws_appautoscaling_policy" "cpu" {
  count = var.tasks.max > var.tasks.min ? 1 : 0

  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.tasks.cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
