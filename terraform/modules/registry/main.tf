# Repositories for image and chart. A tag names one image for ever; only the tags of signatures (`sha256-…`) may be rewritten.

resource "aws_ecr_repository" "this" {
  # checkov:skip=CKV_AWS_51:Tags are immutable but for `sha256-*`, which cosign rewrites with each further signature.
  for_each = var.repositories

  name                 = each.key
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"

  image_tag_mutability_exclusion_filter {
    filter      = "sha256-*"
    filter_type = "WILDCARD"
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

# Images without a tag are kept: signatures and parts of multi-platform images have none.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each = var.repositories

  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "All but the newest releases"
        selection    = { tagStatus = "tagged", tagPatternList = ["*.*.*"], countType = "imageCountMoreThan", countNumber = var.keep_images }
        action       = { type = "expire" }
      },
    ]
  })
}
