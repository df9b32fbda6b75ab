# The rules that tflint has of its own, without a download: all of them.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# Roots and modules have more files than main, variables and outputs where one would be long.
rule "terraform_standard_module_structure" {
  enabled = false
}
