variable "name" {
  description = "The name of the bus and the beginning of other names."
  type        = string
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts events, archive, queues and logs."
  type        = string
}

variable "archive_days" {
  description = "How many days events can be replayed. They hold email addresses and client addresses."
  type        = number
}

variable "log_retention_days" {
  description = "How many days the security events are kept in the log group."
  type        = number
}

variable "security_event_types" {
  description = "The types of events that also go to the log group of security events."
  type        = set(string)
}

variable "subscribers" {
  description = "Queues of your services, by a name of their own: the queue's ARN and the event types it gets."
  type = map(object({
    queue_arn   = string
    event_types = set(string)
  }))

  validation {
    condition     = alltrue([for subscriber in values(var.subscribers) : can(regex("^arn:[a-z-]+:sqs:", subscriber.queue_arn)) && length(subscriber.event_types) > 0])
    error_message = "Each subscriber needs the ARN of an SQS queue and at least one event type of docs/events.md."
  }
}
