region       = "eu-central-1"
issuer       = "https://id.example.com"
audience     = "https://api.example.com"
image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

serve = {
  min = 2
  max = 6
}
