# Not applied, see variables.tf.  The hosts may publish into this namespace, and
# nothing else: the same as trust-policy-ec2.json and iam-policy.json.

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "TrustInstances"
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "publish" {
  statement {
    sid       = "PublishMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.namespace]
    }
  }
}

resource "aws_iam_role" "host" {
  name_prefix        = "${var.name}-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "host" {
  name   = "publish-metrics"
  role   = aws_iam_role.host.name
  policy = data.aws_iam_policy_document.publish.json
}

resource "aws_iam_instance_profile" "host" {
  name_prefix = "${var.name}-"
  role        = aws_iam_role.host.name
}

output "instance_profile" {
  description = "For the launch template of the group"
  value       = aws_iam_instance_profile.host.name
}
