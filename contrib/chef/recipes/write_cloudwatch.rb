# write_cloudwatch by Chef's own resources, beside any cookbook that manages
# collectd: the file has blocks, which most of them cannot write.
#
# Chef is not to be had in Debian 12: the tests run this recipe with a stand-in
# for its resources, and the template by Ruby's ERB.

node.default['write_cloudwatch']['folder'] =
  platform_family?('debian') ? '/etc/collectd/collectd.conf.d' : '/etc/collectd.d'
node.default['write_cloudwatch']['namespace'] = 'MyApp'
node.default['write_cloudwatch']['region'] = 'eu-west-1'
node.default['write_cloudwatch']['group'] = 'web'

template "#{node['write_cloudwatch']['folder']}/10-write_cloudwatch.conf" do
  source 'write_cloudwatch.conf.erb'
  owner 'root'
  group 'root'
  mode '0640'
  variables node['write_cloudwatch'].to_h
  notifies :restart, 'service[collectd]', :delayed
end

# Where the cookbook for collectd does not declare it.
service 'collectd' do
  action :nothing
end
