# Not applied, see variables.tf.  Average, never Sum: each host sends as many
# samples as every other, so their average is that of the hosts, however many
# there are.  The Sum would be samples times hosts, and grow with each host that
# is added.
#
# Without any data an alarm knows nothing and does nothing (missing), and says so
# to the topics.

resource "aws_cloudwatch_metric_alarm" "memory_is_low" {
  alarm_name                = "${var.name}-memory-is-low"
  alarm_description         = "The hosts have little memory left on average"
  namespace                 = var.namespace
  metric_name               = var.memory_name
  dimensions                = var.dimensions
  statistic                 = "Average"
  unit                      = var.memory_unit
  period                    = local.period
  evaluation_periods        = 3
  comparison_operator       = "LessThanThreshold"
  threshold                 = var.memory_low
  treat_missing_data        = "missing"
  alarm_actions             = concat(aws_autoscaling_policy.more_for_memory[*].arn, var.notice_topics)
  insufficient_data_actions = var.notice_topics
}

resource "aws_cloudwatch_metric_alarm" "sockets_are_many" {
  alarm_name                = "${var.name}-sockets-are-many"
  alarm_description         = "The hosts have many connections on average"
  namespace                 = var.namespace
  metric_name               = var.sockets_name
  dimensions                = var.dimensions
  statistic                 = "Average"
  unit                      = "Count"
  period                    = local.period
  evaluation_periods        = 3
  comparison_operator       = "GreaterThanThreshold"
  threshold                 = var.sockets_high
  treat_missing_data        = "missing"
  alarm_actions             = concat(aws_autoscaling_policy.more_for_sockets[*].arn, var.notice_topics)
  insufficient_data_actions = var.notice_topics
}

# One alarm for both metrics: two would take away by the one what is added by the
# other.  It has time, so it looks once a minute, which costs less; and what it
# does not see is no reason to let a host go (notBreaching).
resource "aws_cloudwatch_metric_alarm" "hosts_are_idle" {
  count               = var.policy == "steps" ? 1 : 0
  alarm_name          = "${var.name}-hosts-are-idle"
  alarm_description   = "The hosts have memory enough and few connections"
  evaluation_periods  = 15
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = aws_autoscaling_policy.fewer[*].arn

  metric_query {
    id          = "idle"
    expression  = "IF(memory > ${var.memory_enough} AND sockets < ${var.sockets_few}, 1, 0)"
    label       = "Idle"
    return_data = true
  }
  metric_query {
    id          = "memory"
    return_data = false
    metric {
      namespace   = var.namespace
      metric_name = var.memory_name
      dimensions  = var.dimensions
      stat        = "Average"
      unit        = var.memory_unit
      period      = 60
    }
  }
  metric_query {
    id          = "sockets"
    return_data = false
    metric {
      namespace   = var.namespace
      metric_name = var.sockets_name
      dimensions  = var.dimensions
      stat        = "Average"
      unit        = "Count"
      period      = 60
    }
  }
}

# Nobody publishes: collectd, its credentials or the network are broken
# everywhere, and nothing above can act.
resource "aws_cloudwatch_metric_alarm" "nobody_reports" {
  count               = length(var.notice_topics) > 0 ? 1 : 0
  alarm_name          = "${var.name}-nobody-reports"
  alarm_description   = "No host publishes any more"
  namespace           = var.namespace
  metric_name         = var.memory_name
  dimensions          = var.dimensions
  statistic           = "SampleCount"
  unit                = var.memory_unit
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = var.notice_topics
  ok_actions          = var.notice_topics
}
