variable "name" {
  description = "The name of the service and of its task definition."
  type        = string
}

variable "command" {
  description = "The command of Gatehouse: serve or worker."
  type        = string
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "cluster_arn" {
  description = "The ECS cluster's ARN."
  type        = string
}

variable "image" {
  description = "The image, by digest."
  type        = string
}

variable "size" {
  description = "CPU (1024 is one core) and memory in MiB of a task."
  type        = object({ cpu = number, memory = number })

  validation {
    condition = contains({
      "256"  = [512, 1024, 2048]
      "512"  = range(1024, 4097, 1024)
      "1024" = range(2048, 8193, 1024)
      "2048" = range(4096, 16385, 1024)
      "4096" = range(8192, 30721, 1024)
    }[tostring(var.size.cpu)], var.size.memory)
    error_message = "Fargate does not offer this pair of CPU and memory. For 1024 CPU, memory is 2048 to 8192 MiB in steps of 1024."
  }
}

variable "tasks" {
  description = "How many tasks run at least and at most, and the CPU use in percent that the number follows."
  type        = object({ min = number, max = number, cpu_percent = number })
}

variable "architecture" {
  description = "The processor: X86_64 or ARM64."
  type        = string
}

variable "environment" {
  description = "The settings of Gatehouse. Secrets are references, never values."
  type        = map(string)
}

variable "documents" {
  description = "Files in /etc/gatehouse/config, by name, with their content."
  type        = map(string)
}

variable "task_role_arn" {
  description = "The role of the process."
  type        = string
}

variable "execution_role_arn" {
  description = "The role that pulls the image and writes the log."
  type        = string
}

variable "subnet_ids" {
  description = "The private subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "The security group of the tasks."
  type        = string
}

variable "target_group_arn" {
  description = "The target group of the load balancer, or null."
  type        = string
}

variable "log_group_name" {
  description = "The log group."
  type        = string
}

variable "region" {
  description = "The AWS region of the log group."
  type        = string
}
