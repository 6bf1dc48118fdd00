# write_cloudwatch by Bloomberg's cookbook "collectd".
#
# Chef is not to be had in Debian 12: the tests run this recipe with a stand-in
# for the cookbook's resources.
#
# What to know of that cookbook:
#   a block is a hash with an id      one of a kind in a block, as a hash has a
#                                     key once; write_cloudwatch reads several
#                                     <Plugin> blocks as one, so each metric is
#                                     a file of its own
#   nothing is escaped                "\" has to be doubled twice, once for Ruby
#   a list is one line                as Dimension needs it; an option that is
#                                     to stand twice needs another file
#   a small float gets an exponent    which collectd does not read: write it as
#                                     a symbol
#   files are 0644 collectd:collectd  so never write keys into them

collectd_plugin 'write_cloudwatch' do
  options(
    'namespace' => 'MyApp',
    'region' => 'eu-west-1',
    'dimension' => %w[Group web],
    'flush_interval' => 60
  )
end

collectd_config '/etc/collectd.d/write_cloudwatch-sockets.conf' do
  owner 'collectd'
  group 'collectd'
  configuration(
    'plugin' => {
      'id' => 'write_cloudwatch',
      'metric' => {
        'id' => 'Sockets Used',
        'plugin' => 'tcpconns',
        'plugin_instance' => 'all',
        'type_instance' => 'ESTABLISHED',
        'unit' => 'Count'
      }
    }
  )
end

collectd_config '/etc/collectd.d/write_cloudwatch-memory.conf' do
  owner 'collectd'
  group 'collectd'
  configuration(
    'plugin' => {
      'id' => 'write_cloudwatch',
      'metric' => {
        'id' => 'Memory Available',
        'plugin' => 'memory',
        'type' => 'memory',
        'type_instance' => '/^(free|buffered|cached|slab_recl)$/',
        'combine' => 'sum',
        'scale' => :'0.00000095367431640625',
        'unit' => 'Megabytes'
      }
    }
  )
end
