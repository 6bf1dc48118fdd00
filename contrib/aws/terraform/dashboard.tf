# Not applied, see variables.tf.  Above what the alarms watch, with the least or
# the most of any host; then each group that publishes; at last how many hosts
# are in these numbers.

data "aws_region" "here" {}

resource "aws_cloudwatch_dashboard" "fleet" {
  dashboard_name = var.name
  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    region          = data.aws_region.here.region
    namespace       = var.namespace
    memory_name     = var.memory_name
    sockets_name    = var.sockets_name
    dimension       = join("", [for name, value in var.dimensions : "\"${name}\", \"${value}\", "])
    group_dimension = var.group_dimension
    memory_low      = var.memory_low
    sockets_high    = var.sockets_high
    period          = local.period
    samples         = var.samples
  })
}
