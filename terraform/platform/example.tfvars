region          = "eu-central-1"
size            = "small"
certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000000"
alarm_emails    = ["on-call@example.com"]

kubernetes = {
  admin_role_arns     = ["arn:aws:iam::111122223333:role/platform-admin"]
  public_access_cidrs = ["192.0.2.0/24"]
}

# gh api repos/example/identity --jq '.owner.id, .id'
github = {
  owner         = "example"
  owner_id      = 101
  repository    = "identity"
  repository_id = 202
  state_bucket  = "example-terraform-state"
}
