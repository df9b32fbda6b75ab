terraform {
  required_version = ">= 1.11.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.62"
    }
  }

  # `terraform init -backend-config=backend.hcl` fills in bucket, key and region; backend.hcl.example shows them.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge(var.tags, { application = var.name, managed-by = "terraform", root = "fargate" })
  }
}
