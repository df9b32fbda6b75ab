# Three roles for GitHub Actions, taken by OIDC: no long-lived key exists. GitHub writes `sub` in one of two forms: with the ids of
# owner and repository for repositories made or renamed since July 2026, and without them for older ones. Both are listed, exactly.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  aws     = "arn:${data.aws_partition.current.partition}"
  account = data.aws_caller_identity.current.account_id

  repositories = [
    "repo:${var.repository.owner}/${var.repository.name}",
    "repo:${var.repository.owner}@${var.repository.owner_id}/${var.repository.name}@${var.repository.repository_id}",
  ]
  contexts = {
    plan   = ["pull_request"]
    push   = ["ref:refs/heads/${var.branch}", "environment:${var.release_environment}"]
    deploy = ["environment:${var.environment}"]
  }
  subjects = { for role, contexts in local.contexts : role => flatten([
    for context in contexts : [for repository in local.repositories : "${repository}:${context}"]
  ]) }

  provider_arn = var.oidc_provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.oidc_provider_arn
  trust = { for role, subjects in local.subjects : role => jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = subjects
      } }
    }]
  }) }

  bucket = "${local.aws}:s3:::${var.state.bucket}"
  state_key = var.state.kms_key_arn == null ? [] : [{
    Sid      = "StateKey"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [var.state.kms_key_arn]
  }]
  no_secret_values = {
    Sid      = "NoSecretValues"
    Effect   = "Deny"
    Action   = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "ssm:GetParameterHistory", "lambda:GetFunction"]
    Resource = ["*"]
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.oidc_provider_arn == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

# ## plan: reads everything but values of secrets; may only put plans, not read them back.

resource "aws_iam_role" "plan" {
  name               = "${var.name}-github-plan"
  description        = "terraform plan on pull requests"
  assume_role_policy = local.trust["plan"]
}

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.plan.name
  policy_arn = "${local.aws}:iam::aws:policy/job-function/ViewOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  # checkov:skip=CKV_AWS_355:Reading the configuration of resources that are not made yet can't name them. Values of secrets are denied.
  # checkov:skip=CKV_AWS_288:The same: Describe, Get and List of configuration only.
  name = "plan"
  role = aws_iam_role.plan.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.state_key, [
      {
        Sid    = "ReadConfiguration"
        Effect = "Allow"
        Action = [
          "acm:Describe*", "acm:List*", "apigateway:GET", "application-autoscaling:Describe*", "application-autoscaling:List*",
          "cloudwatch:Describe*", "cloudwatch:List*", "ec2:Describe*", "ecr:Describe*", "ecr:Get*", "ecr:List*", "ecs:Describe*",
          "ecs:List*", "eks:Describe*", "eks:List*", "elasticache:Describe*", "elasticache:List*", "elasticloadbalancing:Describe*",
          "events:Describe*", "events:List*", "iam:Get*", "iam:List*", "kms:Describe*", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
          "kms:List*", "logs:Describe*", "logs:List*", "rds:Describe*", "rds:List*", "route53:Get*", "route53:List*",
          "secretsmanager:Describe*", "secretsmanager:GetResourcePolicy", "secretsmanager:List*", "sns:Get*", "sns:List*",
          "sqs:Get*", "sqs:List*", "ssm:Describe*", "ssm:GetParameter", "ssm:GetParameters", "ssm:List*", "tag:Get*",
        ]
        Resource = ["*"]
      },
      { Sid = "ReadState", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.bucket}/*.tfstate"] },
      { Sid = "ListState", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.bucket] },
      { Sid = "LockState", Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], Resource = ["${local.bucket}/*.tflock"] },
      { Sid = "PutPlans", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${local.bucket}/plans/*"] },
      local.no_secret_values,
    ])
  })
}

# ## push: images and charts, nothing else.

resource "aws_iam_role" "push" {
  name               = "${var.name}-github-push"
  description        = "Push image and chart to ECR"
  assume_role_policy = local.trust["push"]
}

resource "aws_iam_role_policy" "push" {
  # checkov:skip=CKV_AWS_355:ecr:GetAuthorizationToken takes no resource.
  name = "push"
  role = aws_iam_role.push.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "LogIn", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
      {
        Sid    = "PushAndVerify"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:ListImages", "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = var.repository_arns
      },
    ]
  })
}

# ## deploy: applies the saved plan and upgrades the release, after the environment's approval.

resource "aws_iam_role" "deploy" {
  name                 = "${var.name}-github-deploy"
  description          = "terraform apply and helm upgrade, behind the environment ${var.environment}"
  assume_role_policy   = local.trust["deploy"]
  max_session_duration = 7200
}

locals {
  own_roles = ["${local.aws}:iam::${local.account}:role/${var.name}-*"]
  # These roles and their policies are changed by people only: the pipeline could otherwise widen its own rights.
  own_github_roles = ["${local.aws}:iam::${local.account}:role/${var.name}-github-*"]
  deploy_statements = [
    {
      Sid    = "Services"
      Effect = "Allow"
      Action = [
        "acm:*", "apigateway:*", "application-autoscaling:*", "cloudwatch:*", "ec2:*", "ecr:*", "ecs:*", "eks:*", "elasticache:*",
        "elasticloadbalancing:*", "events:*", "kms:*", "logs:*", "rds:*", "route53:*", "secretsmanager:*", "sns:*", "sqs:*", "ssm:*",
      ]
      Resource = ["*"]
    },
    { Sid = "ReadIam", Effect = "Allow", Action = ["iam:Get*", "iam:List*"], Resource = ["*"] },
    {
      Sid    = "OwnRoles"
      Effect = "Allow"
      Action = [
        "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy",
        "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
      ]
      Resource = local.own_roles
    },
    {
      Sid       = "PassOwnRoles"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = local.own_roles
      Condition = { StringEquals = { "iam:PassedToService" = ["eks.amazonaws.com", "eks-fargate-pods.amazonaws.com", "pods.eks.amazonaws.com", "ecs-tasks.amazonaws.com", "monitoring.rds.amazonaws.com", "vpc-flow-logs.amazonaws.com"] } }
    },
    {
      Sid      = "ServiceRoles"
      Effect   = "Allow"
      Action   = ["iam:CreateServiceLinkedRole"]
      Resource = ["${local.aws}:iam::${local.account}:role/aws-service-role/*"]
    },
    {
      Sid      = "NotItself"
      Effect   = "Deny"
      Action   = ["iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*", "iam:Update*"]
      Resource = local.own_github_roles
    },
    {
      Sid      = "NoSecretValues"
      Effect   = "Deny"
      Action   = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "secretsmanager:PutSecretValue", "kms:ScheduleKeyDeletion", "kms:Sign", "rds-db:connect"]
      Resource = ["*"]
    },
    { Sid = "State", Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], Resource = ["${local.bucket}/*.tfstate", "${local.bucket}/*.tflock"] },
    { Sid = "ListState", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [local.bucket] },
    { Sid = "GetPlans", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${local.bucket}/plans/*"] },
  ]
}

resource "aws_iam_role_policy" "deploy" {
  # checkov:skip=CKV_AWS_355:It makes and changes all resources of three roots; their ids do not exist before. Approval by people and the denials below are the bound.
  # checkov:skip=CKV_AWS_286:Roles outside the prefix, its own roles and PassRole to other services are refused.
  # checkov:skip=CKV_AWS_287:Reading values of secrets is denied.
  # checkov:skip=CKV_AWS_288:Reading values of secrets and connecting to the database are denied.
  # checkov:skip=CKV_AWS_289:IAM changes are limited to roles of this installation.
  # checkov:skip=CKV_AWS_290:The same as CKV_AWS_355.
  # checkov:skip=CKV2_AWS_40:IAM actions are listed one by one and limited to roles of this installation.
  name   = "deploy"
  role   = aws_iam_role.deploy.id
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.state_key, local.deploy_statements) })
}
