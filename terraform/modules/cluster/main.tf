# EKS with Auto Mode: AWS runs nodes, network, storage, Pod Identity and the load balancer controller.

data "aws_partition" "current" {}

locals {
  policies = "arn:${data.aws_partition.current.partition}:iam::aws:policy"
  # Auto Mode needs all these policies on the role of the cluster, beside sts:TagSession.
  cluster_policies = [
    "AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy",
  ]
  node_policies = ["AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly"]
}

resource "aws_iam_role" "cluster" {
  name = "${var.name}-cluster"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = toset(local.cluster_policies)

  role       = aws_iam_role.cluster.name
  policy_arn = "${local.policies}/${each.key}"
}

resource "aws_iam_role" "node" {
  name = "${var.name}-node"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(local.node_policies)

  role       = aws_iam_role.node.name
  policy_arn = "${local.policies}/${each.key}"
}

# EKS writes to the group of this name. Made here, so that it has a retention and a key.
resource "aws_cloudwatch_log_group" "control_plane" {
  # checkov:skip=CKV_AWS_338:The days are a variable of the root; its default is a year.
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_eks_cluster" "this" {
  # checkov:skip=CKV_AWS_39:Public access is off unless addresses are listed, and never for the whole internet: see public_access_cidrs.
  # checkov:skip=CKV_AWS_339:The list of versions in checkov is older than Kubernetes 1.37. AWS refuses versions that it does not run.
  # checkov:skip=CKV_AWS_38:The variable refuses a range of /0.
  name                = var.name
  version             = var.kubernetes_version
  role_arn            = aws_iam_role.cluster.arn
  deletion_protection = var.deletion_protection

  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  # Auto Mode brings its own: the add-ons of other clusters would run twice.
  bootstrap_self_managed_addons = false

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  # These three switches of Auto Mode must be equal.
  compute_config {
    enabled       = true
    node_pools    = ["general-purpose", "system"]
    node_role_arn = aws_iam_role.node.arn
  }

  kubernetes_network_config {
    elastic_load_balancing {
      enabled = true
    }
  }

  storage_config {
    block_storage {
      enabled = true
    }
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_access_cidrs) > 0
    public_access_cidrs     = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null
  }

  encryption_config {
    resources = ["secrets"]
    provider {
      key_arn = var.kms_key_arn
    }
  }

  zonal_shift_config {
    enabled = true
  }

  depends_on = [
    aws_iam_role_policy_attachment.cluster,
    aws_iam_role_policy_attachment.node,
    aws_cloudwatch_log_group.control_plane,
  ]
}

resource "aws_eks_access_entry" "admin" {
  for_each = var.admin_role_arns

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.key
}

resource "aws_eks_access_policy_association" "admin" {
  for_each = var.admin_role_arns

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.admin[each.key].principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}

resource "aws_eks_access_entry" "deployer" {
  for_each = var.deployers

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value
}

# Enough for `helm upgrade` in the namespace. The CRD of the operator is installed by an administrator.
resource "aws_eks_access_policy_association" "deployer" {
  for_each = var.deployers

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.deployer[each.key].principal_arn
  policy_arn    = "arn:${data.aws_partition.current.partition}:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy"

  access_scope {
    type       = "namespace"
    namespaces = [var.namespace]
  }
}

# ## Fargate profile
# Pod Identity does not work on Fargate, so these pods get their roles by tokens of the cluster (IRSA).

resource "aws_iam_openid_connect_provider" "cluster" {
  count = var.fargate_profile ? 1 : 0

  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "fargate" {
  count = var.fargate_profile ? 1 : 0

  name = "${var.name}-fargate-pods"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "eks-fargate-pods.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { ArnLike = { "aws:SourceArn" = "${replace(aws_eks_cluster.this.arn, ":cluster/", ":fargateprofile/")}/*" } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "fargate" {
  count = var.fargate_profile ? 1 : 0

  role       = aws_iam_role.fargate[0].name
  policy_arn = "${local.policies}/AmazonEKSFargatePodExecutionRolePolicy"
}

resource "aws_eks_fargate_profile" "this" {
  count = var.fargate_profile ? 1 : 0

  cluster_name           = aws_eks_cluster.this.name
  fargate_profile_name   = var.namespace
  pod_execution_role_arn = aws_iam_role.fargate[0].arn
  subnet_ids             = var.subnet_ids

  selector {
    namespace = var.namespace
  }
}
