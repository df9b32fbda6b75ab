# Gatehouse on ECS Fargate, for teams without Kubernetes: the same image on the same platform.

data "aws_ssm_parameter" "platform" {
  name = "/${var.name}/platform/fargate"
}

locals {
  platform = jsondecode(data.aws_ssm_parameter.platform.insecure_value)
  image    = "${local.platform.image_repository}@${var.image_digest}"

  common = {
    GATEHOUSE_ISSUER                = var.issuer
    GATEHOUSE_AUDIENCE              = var.audience == null ? "${var.issuer}/api" : var.audience
    GATEHOUSE_TRUSTED_PROXIES       = join(",", local.platform.trusted_proxies)
    GATEHOUSE_CLIENT_ADDRESS_HEADER = "forwarded"
    GATEHOUSE_EVENTS_SINK           = "eventbridge:${local.platform.bus_arn}"
    GATEHOUSE_JOBS                  = "worker"
    GATEHOUSE_PORT                  = "3000"
    GATEHOUSE_OPS_PORT              = "9090"
  }
  files = { for setting, name in { GATEHOUSE_CLIENTS_FILE = "clients.yaml", GATEHOUSE_APIS_FILE = "apis.yaml" } :
    setting => "/etc/gatehouse/config/${name}" if contains(keys(var.documents), name)
  }
  database = {
    GATEHOUSE_DATABASE_URL      = local.platform.database_url
    GATEHOUSE_DATABASE_PASSWORD = "rds-iam:"
  }
  keys = {
    GATEHOUSE_KEYS = "secretsmanager:${local.platform.secret_names["keys"]}"
  }

  # Each process gets what it needs, and no more.
  # With SES, what it reports about mails. An earlier version of the platform hands nothing over.
  mail_settings = startswith(lookup(var.settings, "GATEHOUSE_MAIL", "off"), "ses") ? try(local.platform.mail_settings, {}) : {}
  serve_environment = merge(local.mail_settings, var.settings, local.common, local.files, local.database, local.keys, {
    GATEHOUSE_REDIS_URL      = local.platform.redis_url
    GATEHOUSE_REDIS_PASSWORD = "elasticache-iam:${local.platform.cache_name}"
    GATEHOUSE_SERVER_SECRETS = "secretsmanager:${local.platform.secret_names["server-secrets"]}"
    # ECS sends SIGTERM at once; the load balancer needs up to 10 seconds to notice (5 seconds, twice).
    GATEHOUSE_SHUTDOWN_DELAY_SECONDS = "20"
    GATEHOUSE_SHUTDOWN_SECONDS       = "30"
  })
  without_redis = { for key, value in var.settings : key => value if !startswith(key, "GATEHOUSE_REDIS_") && key != "GATEHOUSE_REFRESH_TOKEN_STORE" }
  worker_environment = merge(local.mail_settings, local.without_redis, local.common, local.database, local.keys, {
    GATEHOUSE_KEYS_ROTATE_DAYS = tostring(var.key_rotation_days)
    }, lookup(var.settings, "GATEHOUSE_MAIL", "off") == "off" ? {} : {
    # The content of mails that wait is encrypted with the server secrets.
    GATEHOUSE_SERVER_SECRETS = "secretsmanager:${local.platform.secret_names["server-secrets"]}"
  })
  migrate_environment = merge(local.without_redis, local.common, {
    GATEHOUSE_DATABASE_URL      = local.platform.owner_database_url
    GATEHOUSE_DATABASE_PASSWORD = "rds-iam:"
  })
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  lifecycle {
    precondition {
      condition     = local.platform.security_group_id != null
      error_message = "The platform is not ready for ECS: set ecs = true in the root platform and apply it first."
    }
  }
}

# Pulls the image and writes the log, before Gatehouse itself runs. It can read no secret.
resource "aws_iam_role" "execution" {
  name = "${var.name}-ecs-execution"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "execution" {
  # checkov:skip=CKV_AWS_355:ecr:GetAuthorizationToken takes no resource.
  name = "pull-and-log"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "LogIn", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [local.platform.repository_arn]
      },
      {
        Sid      = "WriteLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:${local.platform.log_group_name}:*"]
      },
    ]
  })
}

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

# ## The migration: one task, before the services.

resource "aws_ecs_task_definition" "migrate" {
  family                   = "${var.name}-migrate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  task_role_arn            = local.platform.role_arns["migrate"]
  execution_role_arn       = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name                   = "migrate"
    image                  = local.image
    essential              = true
    command                = ["migrate"]
    user                   = "65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    environment            = [for key in sort(keys(local.migrate_environment)) : { name = key, value = local.migrate_environment[key] }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = local.platform.log_group_name
        awslogs-region        = var.region
        awslogs-stream-prefix = "migrate"
      }
    }
  }])

  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }
}

# The command fails if the migration fails, and then no service changes.
resource "terraform_data" "migration" {
  count = var.run_migration ? 1 : 0

  triggers_replace = [var.image_digest]

  provisioner "local-exec" {
    command = "${abspath(path.module)}/scripts/run-task.sh"
    environment = {
      AWS_REGION      = var.region
      CLUSTER         = aws_ecs_cluster.this.name
      TASK_DEFINITION = aws_ecs_task_definition.migrate.arn
      SUBNETS         = join(",", local.platform.subnet_ids)
      SECURITY_GROUP  = local.platform.security_group_id
      LOG_GROUP       = local.platform.log_group_name
    }
  }

  depends_on = [aws_iam_role_policy.execution]
}

module "serve" {
  source = "../modules/ecs-service"

  name               = "${var.name}-serve"
  command            = "serve"
  size               = { cpu = var.serve.cpu, memory = var.serve.memory }
  tasks              = { min = var.serve.min, max = var.serve.max, cpu_percent = var.serve.cpu_percent }
  environment        = local.serve_environment
  documents          = var.documents
  task_role_arn      = local.platform.role_arns["serve"]
  target_group_arn   = local.platform.target_group_arn
  cluster_name       = aws_ecs_cluster.this.name
  cluster_arn        = aws_ecs_cluster.this.arn
  image              = local.image
  architecture       = var.architecture
  execution_role_arn = aws_iam_role.execution.arn
  subnet_ids         = local.platform.subnet_ids
  security_group_id  = local.platform.security_group_id
  log_group_name     = local.platform.log_group_name
  region             = var.region

  depends_on = [terraform_data.migration, aws_iam_role_policy.execution]
}

module "worker" {
  source = "../modules/ecs-service"

  name               = "${var.name}-worker"
  command            = "worker"
  size               = { cpu = var.worker.cpu, memory = var.worker.memory }
  tasks              = { min = var.worker.tasks, max = var.worker.tasks, cpu_percent = 70 }
  environment        = local.worker_environment
  documents          = {}
  task_role_arn      = local.platform.role_arns["worker"]
  target_group_arn   = null
  cluster_name       = aws_ecs_cluster.this.name
  cluster_arn        = aws_ecs_cluster.this.arn
  image              = local.image
  architecture       = var.architecture
  execution_role_arn = aws_iam_role.execution.arn
  subnet_ids         = local.platform.subnet_ids
  security_group_id  = local.platform.security_group_id
  log_group_name     = local.platform.log_group_name
  region             = var.region

  depends_on = [terraform_data.migration, aws_iam_role_policy.execution]
}

module "alarms" {
  source = "../modules/alarms"

  name      = "${var.name}-fargate"
  topic_arn = local.platform.alarm_topic_arn
  alarms = {
    serve-cpu = {
      namespace   = "AWS/ECS", metric = "CPUUtilization", above = 90, minutes = 10
      dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = module.serve.service_name }
      description = "The servers are busy for ten minutes: serve.max may be too low for the sign-ins."
    }
    serve-memory = {
      namespace   = "AWS/ECS", metric = "MemoryUtilization", above = 85, minutes = 10
      dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = module.serve.service_name }
      description = "The servers use most of their memory."
    }
    worker-missing = {
      namespace   = "ECS/ContainerInsights", metric = "RunningTaskCount", below = 1, statistic = "Minimum"
      dimensions  = { ClusterName = aws_ecs_cluster.this.name, ServiceName = module.worker.service_name }
      description = "No worker runs: events wait, and no key is rotated."
    }
  }
}
