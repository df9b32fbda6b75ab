# Containers without values: a value that Terraform sets would be in its state, readable by everyone who may plan.
# docs/deploy.md says how the values get in. Gatehouse writes the signing keys itself.

resource "aws_secretsmanager_secret" "this" {
  # checkov:skip=CKV2_AWS_57:AWS's rotation doesn't know these values. `gatehouse keys rotate` rotates the keys (docs/keys.md), and docs/secrets.md describes the others.
  for_each = var.containers

  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}
