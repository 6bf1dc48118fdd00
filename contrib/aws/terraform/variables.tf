# Not applied: parsed with HashiCorp's own parser, and compared with the schema of
# the provider and with fleet.yaml, which makes the same.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25"
    }
  }
}

# ---- what collectd publishes: as in write_cloudwatch.conf ----

variable "namespace" {
  type    = string
  default = "MyApp"
}

variable "memory_name" {
  type    = string
  default = "Memory Available"
}

# An alarm sees only data of the unit that it names.  Count is for the metrics of
# migrate-scalemate.conf.
variable "memory_unit" {
  type    = string
  default = "Megabytes"
}

variable "sockets_name" {
  type    = string
  default = "Sockets Used"
}

# None: the metric that all hosts feed.  For one group of several in the same
# namespace: { Group = "name of the group" }; for Scalemate: { MyApp = "MyApp" }.
variable "dimensions" {
  type    = map(string)
  default = {}
}

# The dimension by which the dashboard finds the groups.
variable "group_dimension" {
  type    = string
  default = "Group"
}

# StorageResolution of the two metrics: 60 of write_cloudwatch.conf, 1 of
# write_cloudwatch-fast.conf, whose alarms look every ten seconds.
variable "resolution" {
  type    = number
  default = 60
  validation {
    condition     = contains([60, 1], var.resolution)
    error_message = "The resolution is 60 or 1."
  }
}

# Samples of one host in a minute, to count hosts by: 6 of a value each ten
# seconds, 60 of write_cloudwatch-fast.conf, 1 of Statistics "last".
variable "samples" {
  type    = number
  default = 6
}

# Seconds that an alarm looks at together.
locals {
  period = var.resolution == 1 ? 10 : 60
}

# ---- what follows ----

variable "name" {
  description = "What the names of all that is made begin with"
  type        = string
  default     = "fleet"
}

variable "autoscaling_group" {
  description = "The name of a group that exists"
  type        = string
}

variable "policy" {
  type    = string
  default = "steps"
  validation {
    condition     = contains(["steps", "target"], var.policy)
    error_message = "The policy is steps or target."
  }
}

variable "notice_topics" {
  description = "ARNs of SNS topics that hear of alarms and of silence"
  type        = list(string)
  default     = []
}

# ---- by steps: averages over the hosts ----

variable "memory_low" {
  description = "MiB below which a host is added"
  type        = number
  default     = 500
}

variable "memory_step" {
  description = "MiB below memory_low from where two are added"
  type        = number
  default     = 250
}

variable "memory_enough" {
  description = "MiB above which a host may go, if connections are few, too"
  type        = number
  default     = 2000
}

variable "sockets_high" {
  description = "Connections above which a host is added"
  type        = number
  default     = 800
}

variable "sockets_step" {
  description = "Connections above sockets_high from where two are added"
  type        = number
  default     = 400
}

variable "sockets_few" {
  description = "Connections below which a host may go, if memory is enough, too"
  type        = number
  default     = 200
}

# ---- by a target ----

variable "sockets_target" {
  description = "Connections that each host should have"
  type        = number
  default     = 500
}

variable "memory_of_host" {
  description = "MiB that a host has (MemTotal); 0 leaves memory out"
  type        = number
  default     = 0
}

variable "memory_target" {
  description = "Per cent of it that should be in use"
  type        = number
  default     = 75
}
