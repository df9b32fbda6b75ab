variable "name" {
  description = "The beginning of the names of the alarms."
  type        = string
}

variable "alarms" {
  description = "The alarms: a metric of CloudWatch, what is too much or too little, for how long, and what to do."
  type = map(object({
    namespace   = string
    metric      = string
    dimensions  = map(string)
    statistic   = optional(string, "Average")
    above       = optional(number)
    below       = optional(number)
    minutes     = optional(number, 5)
    missing     = optional(string, "notBreaching")
    description = string
  }))

  validation {
    condition     = alltrue([for alarm in values(var.alarms) : (alarm.above == null) != (alarm.below == null)])
    error_message = "Each alarm needs either `above` or `below`."
  }
}

variable "topic_arn" {
  description = "The SNS topic that alarms and their end go to."
  type        = string
}
