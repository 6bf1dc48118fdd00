# Not applied, see variables.tf.

# ---- by steps ----
# The bounds are differences to the threshold of the alarm.

resource "aws_autoscaling_policy" "more_for_memory" {
  count                     = var.policy == "steps" ? 1 : 0
  name                      = "${var.name}-more-for-memory"
  autoscaling_group_name    = var.autoscaling_group
  policy_type               = "StepScaling"
  adjustment_type           = "ChangeInCapacity"
  estimated_instance_warmup = 180

  step_adjustment {
    metric_interval_lower_bound = "-${var.memory_step}"
    metric_interval_upper_bound = 0
    scaling_adjustment          = 1
  }
  step_adjustment {
    metric_interval_upper_bound = "-${var.memory_step}"
    scaling_adjustment          = 2
  }
}

resource "aws_autoscaling_policy" "more_for_sockets" {
  count                     = var.policy == "steps" ? 1 : 0
  name                      = "${var.name}-more-for-sockets"
  autoscaling_group_name    = var.autoscaling_group
  policy_type               = "StepScaling"
  adjustment_type           = "ChangeInCapacity"
  estimated_instance_warmup = 180

  step_adjustment {
    metric_interval_lower_bound = 0
    metric_interval_upper_bound = var.sockets_step
    scaling_adjustment          = 1
  }
  step_adjustment {
    metric_interval_lower_bound = var.sockets_step
    scaling_adjustment          = 2
  }
}

resource "aws_autoscaling_policy" "fewer" {
  count                  = var.policy == "steps" ? 1 : 0
  name                   = "${var.name}-fewer"
  autoscaling_group_name = var.autoscaling_group
  policy_type            = "StepScaling"
  adjustment_type        = "ChangeInCapacity"

  step_adjustment {
    metric_interval_lower_bound = 0
    scaling_adjustment          = -1
  }
}

# ---- by a target: Auto Scaling makes its own alarms, in both directions ----
# A target needs a number that falls when hosts are added, as connections of a
# host do.  Memory that is left rises: what is used takes its place.  With two
# targets hosts are added for either, and let go only when both agree.

resource "aws_autoscaling_policy" "keep_sockets" {
  count                     = var.policy == "target" ? 1 : 0
  name                      = "${var.name}-keep-sockets"
  autoscaling_group_name    = var.autoscaling_group
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 180

  target_tracking_configuration {
    target_value = var.sockets_target
    customized_metric_specification {
      namespace   = var.namespace
      metric_name = var.sockets_name
      statistic   = "Average"
      unit        = "Count"
      period      = local.period
      dynamic "metric_dimension" {
        for_each = var.dimensions
        content {
          name  = metric_dimension.key
          value = metric_dimension.value
        }
      }
    }
  }
}

resource "aws_autoscaling_policy" "keep_memory" {
  count                     = var.policy == "target" && var.memory_of_host != 0 ? 1 : 0
  name                      = "${var.name}-keep-memory"
  autoscaling_group_name    = var.autoscaling_group
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 180

  target_tracking_configuration {
    target_value = var.memory_target
    customized_metric_specification {
      metrics {
        id          = "used"
        expression  = "100 * (1 - memory / ${var.memory_of_host})"
        label       = "Per cent of memory in use"
        return_data = true
      }
      metrics {
        id          = "memory"
        return_data = false
        metric_stat {
          stat   = "Average"
          unit   = var.memory_unit
          period = local.period
          metric {
            namespace   = var.namespace
            metric_name = var.memory_name
            dynamic "dimensions" {
              for_each = var.dimensions
              content {
                name  = dimensions.key
                value = dimensions.value
              }
            }
          }
        }
      }
    }
  }
}
