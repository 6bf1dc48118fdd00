# write_cloudwatch by Vox Pupuli's module "collectd", whose define writes
# 10-write_cloudwatch.conf, 0640 root:root, and restarts collectd.
#
# The tests apply this with a stand-in for the module, which Debian 12 has not.

include collectd

# What reads the values; classes of the module.
include collectd::plugin::memory
class { 'collectd::plugin::tcpconns':
  allportssummary => true,
}

# The package, if your repository has it; the module looks for one only on
# RedHat, and not for plugins that it does not know.
# package { 'collectd-plugin-write-cloudwatch':
#   before => Collectd::Plugin['write_cloudwatch'],
# }

# The text is taken as it stands: neither backslashes nor $ mean anything to
# Puppet here.  FlushInterval, as the module leaves the interval out as long as
# it does not know the version of collectd.
collectd::plugin { 'write_cloudwatch':
  interval => 60,
  content  => @(END),
    <Plugin write_cloudwatch>
      Namespace "MyApp"
      Region "eu-west-1"
      FlushInterval 60
      Dimension "Group" "web"
      <Metric "Sockets Used">
        Plugin "tcpconns"
        PluginInstance "all"
        TypeInstance "ESTABLISHED"
        Unit "Count"
      </Metric>
      <Metric "Memory Available">
        Plugin "memory"
        Type "memory"
        TypeInstance "/^(free|buffered|cached|slab_recl)$/"
        Combine "sum"
        Scale 0.00000095367431640625
        Unit "Megabytes"
      </Metric>
    </Plugin>
    | END
}
