region                    = "eu-central-1"
issuer                    = "https://id.example.com"
issuer_certificate_arn    = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000001"
api_domain_name           = "api.example.com"
api_certificate_arn       = "arn:aws:acm:eu-central-1:111122223333:certificate/00000000-0000-0000-0000-000000000002"
load_balancer_server_name = "lb.example.com"
zone_id                   = "Z0123456789ABCDEFGHIJ"
audiences                 = ["https://api.example.com"]

open_routes = {
  "GET /v1/health"      = {}
  "POST /v1/auth/login" = { path = "/auth/login" }
}

protected_routes = {
  "GET /v1/contracts"  = { scopes = ["contracts:read"] }
  "POST /v1/contracts" = { scopes = ["contracts:write"], rate = 20, burst = 40 }
}
