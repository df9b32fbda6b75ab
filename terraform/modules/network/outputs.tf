output "vpc_id" {
  description = "The id of the VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "The subnets of the load balancer and the workloads."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "private_subnet_cidrs" {
  description = "The address ranges of the private subnets. The load balancer's addresses are in them."
  value       = [for zone in var.availability_zones : cidrsubnet(var.vpc_cidr, 4, local.zones[zone])]
}

output "data_subnet_ids" {
  description = "The subnets of the database and the cache."
  value       = [for zone in var.availability_zones : aws_subnet.data[zone].id]
}

output "nat_addresses" {
  description = "The public addresses from which the workloads call others."
  value       = [for address in aws_eip.nat : address.public_ip]
}
