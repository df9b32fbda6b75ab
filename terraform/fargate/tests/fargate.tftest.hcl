# What matters in a plan of Gatehouse on Fargate. No call leaves the machine: the provider is mocked.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = {
      insecure_value = "{\"subnet_ids\":[\"subnet-1\"],\"security_group_id\":\"sg-tasks\",\"target_group_arn\":\"arn:targets\",\"trusted_proxies\":[\"10.40.0.0/20\",\"10.40.16.0/20\"],\"log_group_name\":\"/gatehouse/gatehouse\",\"kms_key_arn\":\"arn:key\",\"alarm_topic_arn\":\"arn:topic\",\"image_repository\":\"111122223333.dkr.ecr.eu-central-1.amazonaws.com/gatehouse/image\",\"repository_arn\":\"arn:repository\",\"role_arns\":{\"serve\":\"arn:serve\",\"worker\":\"arn:worker\",\"migrate\":\"arn:migrate\"},\"database_url\":\"postgres://gatehouse@db:5432/gatehouse?sslmode=verify-full\",\"owner_database_url\":\"postgres://gatehouse_owner@db:5432/gatehouse?sslmode=verify-full\",\"redis_url\":\"rediss://gatehouse@cache:6379\",\"cache_name\":\"gatehouse\",\"secret_names\":{\"keys\":\"gatehouse/keys\",\"server-secrets\":\"gatehouse/server-secrets\"},\"bus_arn\":\"arn:bus\",\"mail_settings\":{\"GATEHOUSE_SES_CONFIGURATION_SET\":\"gatehouse\",\"GATEHOUSE_MAIL_FEEDBACK_QUEUE\":\"https://sqs/reports\"}}"
    }
  }
}

variables {
  region        = "eu-central-1"
  issuer        = "https://id.example.com"
  image_digest  = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  run_migration = false
}

run "whole" {
  variables {
    settings  = { GATEHOUSE_LOG_LEVEL = "info", GATEHOUSE_REDIS_KEY_PREFIX = "gatehouse:" }
    documents = { "clients.yaml" = "clients:\n  - clientId: web-app\n    secrets: [{ ref: 'secretsmanager:gatehouse/clients#web-app' }]\n" }
  }

  assert {
    condition     = local.serve_environment["GATEHOUSE_ISSUER"] == var.issuer && output.issuer == var.issuer
    error_message = "The issuer must be the one that was named, character for character."
  }
  assert {
    condition     = alltrue([for reference in [local.serve_environment["GATEHOUSE_SERVER_SECRETS"], local.serve_environment["GATEHOUSE_KEYS"]] : startswith(reference, "secretsmanager:")]) && local.serve_environment["GATEHOUSE_DATABASE_PASSWORD"] == "rds-iam:" && startswith(local.serve_environment["GATEHOUSE_REDIS_PASSWORD"], "elasticache-iam:")
    error_message = "Secrets must be references."
  }
  assert {
    condition     = strcontains(local.serve_environment["GATEHOUSE_DATABASE_URL"], "sslmode=verify-full") && startswith(local.serve_environment["GATEHOUSE_REDIS_URL"], "rediss://")
    error_message = "The stores must be reached by TLS that is verified."
  }
  assert {
    condition     = !contains(keys(local.worker_environment), "GATEHOUSE_SERVER_SECRETS") && !contains(keys(local.worker_environment), "GATEHOUSE_REDIS_KEY_PREFIX") && !contains(keys(local.migrate_environment), "GATEHOUSE_KEYS")
    error_message = "A process gets more than it needs, or a setting about Redis without Redis, which stops it."
  }
  assert {
    condition     = strcontains(local.migrate_environment["GATEHOUSE_DATABASE_URL"], "gatehouse_owner@") && !strcontains(local.serve_environment["GATEHOUSE_DATABASE_URL"], "owner")
    error_message = "Only the migration may be the owner of the schema."
  }
  assert {
    condition     = !contains(flatten([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Action]), "secretsmanager:GetSecretValue")
    error_message = "The execution role must read no secret."
  }
  assert {
    condition     = local.serve_environment["GATEHOUSE_TRUSTED_PROXIES"] == "10.40.0.0/20,10.40.16.0/20" && local.serve_environment["GATEHOUSE_CLIENT_ADDRESS_HEADER"] == "forwarded"
    error_message = "The address of the caller must come from API Gateway, through the load balancer's subnets."
  }
}

run "service" {
  module {
    source = "./../modules/ecs-service"
  }

  variables {
    name               = "gatehouse-serve"
    command            = "serve"
    cluster_name       = "gatehouse"
    cluster_arn        = "arn:cluster"
    image              = "example/gatehouse@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    size               = { cpu = 1024, memory = 2048 }
    tasks              = { min = 2, max = 6, cpu_percent = 70 }
    architecture       = "ARM64"
    environment        = { GATEHOUSE_ISSUER = "https://id.example.com", GATEHOUSE_SHUTDOWN_DELAY_SECONDS = "20", GATEHOUSE_SHUTDOWN_SECONDS = "30" }
    documents          = { "clients.yaml" = "clients: []" }
    task_role_arn      = "arn:serve"
    execution_role_arn = "arn:execution"
    subnet_ids         = ["subnet-1"]
    security_group_id  = "sg-tasks"
    target_group_arn   = "arn:targets"
    log_group_name     = "/gatehouse/gatehouse"
  }

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback && aws_ecs_service.this.wait_for_steady_state == true
    error_message = "A broken release must go back, and Terraform must wait for the end."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_maximum_percent == 200
    error_message = "New tasks must start before old ones stop."
  }
  assert {
    condition     = aws_ecs_service.this.network_configuration[0].assign_public_ip == false && aws_ecs_service.this.enable_execute_command == false
    error_message = "Tasks must have no public address and no shell."
  }
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : container.readonlyRootFilesystem == true])
    error_message = "The root file system must be read-only."
  }
  assert {
    condition     = [for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : container.user if container.name == "gatehouse"] == ["65532"]
    error_message = "Gatehouse must not run as root."
  }
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : container.stopTimeout > tonumber(var.environment["GATEHOUSE_SHUTDOWN_DELAY_SECONDS"]) + tonumber(var.environment["GATEHOUSE_SHUTDOWN_SECONDS"]) if container.name == "gatehouse"])
    error_message = "ECS would end the process while it still answers requests."
  }
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : strcontains(container.image, "@sha256:")])
    error_message = "Images must be named by digest."
  }
  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 2 && aws_appautoscaling_target.this[0].max_capacity == 6
    error_message = "Autoscaling has other limits than those named."
  }
  assert {
    condition     = one(aws_ecs_service.this.load_balancer).target_group_arn == "arn:targets" && one(aws_ecs_service.this.load_balancer).container_port == 3000
    error_message = "The load balancer must reach port 3000."
  }
}

run "mail" {
  command = plan
  variables { settings = { GATEHOUSE_MAIL = "ses", GATEHOUSE_MAIL_FROM = "login@example.com" } }

  assert {
    condition     = local.worker_environment["GATEHOUSE_SERVER_SECRETS"] == local.serve_environment["GATEHOUSE_SERVER_SECRETS"] && local.worker_environment["GATEHOUSE_MAIL"] == "ses"
    error_message = "A worker that sends mails needs the server secrets, to read them."
  }
  assert {
    condition     = local.worker_environment["GATEHOUSE_MAIL_FEEDBACK_QUEUE"] == "https://sqs/reports" && local.worker_environment["GATEHOUSE_SES_CONFIGURATION_SET"] == "gatehouse"
    error_message = "With SES, the worker must get the queue of reports."
  }
}

run "mail_by_smtp" {
  command = plan
  variables { settings = { GATEHOUSE_MAIL = "smtps://smtp.example.com", GATEHOUSE_MAIL_FROM = "login@example.com" } }

  assert {
    condition     = !contains(keys(local.worker_environment), "GATEHOUSE_MAIL_FEEDBACK_QUEUE")
    error_message = "With SMTP, Gatehouse refuses settings of SES."
  }
}

run "image_by_tag" {
  command = plan
  variables { image_digest = "1.2.3" }
  expect_failures = [var.image_digest]
}

run "secret_in_a_document" {
  command = plan
  variables { documents = { "clients.yaml" = "clients:\n  - clientId: app\n    secret: hunter2\n" } }
  expect_failures = [var.documents]
}

run "database_password_in_settings" {
  command = plan
  variables { settings = { GATEHOUSE_DATABASE_PASSWORD = "hunter2" } }
  expect_failures = [var.settings]
}

run "one_server" {
  command = plan
  variables { serve = { min = 1 } }
  expect_failures = [var.serve]
}

run "platform_without_ecs" {
  command = plan
  override_data {
    target = data.aws_ssm_parameter.platform
    values = { insecure_value = "{\"subnet_ids\":[],\"security_group_id\":null,\"target_group_arn\":\"a\",\"trusted_proxies\":[],\"log_group_name\":\"l\",\"kms_key_arn\":\"k\",\"alarm_topic_arn\":\"t\",\"image_repository\":\"i\",\"repository_arn\":\"r\",\"role_arns\":{\"serve\":\"s\",\"worker\":\"w\",\"migrate\":\"m\"},\"database_url\":\"d\",\"owner_database_url\":\"o\",\"redis_url\":\"r\",\"cache_name\":\"c\",\"secret_names\":{\"keys\":\"k\",\"server-secrets\":\"s\"},\"bus_arn\":\"b\"}" }
  }
  expect_failures = [aws_ecs_cluster.this]
}
