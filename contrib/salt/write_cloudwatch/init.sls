# Untested by Salt itself, which Debian 12 has not: the tests render state and
# template by Jinja2, and load the outcome in collectd.
#
# write_cloudwatch by Salt, beside the formula "collectd": in its folder of
# snippets, and with a service of the same id.
{% set settings = salt['pillar.get']('write_cloudwatch', {}) %}
{% set folder = settings.get('folder', {
     'Debian': '/etc/collectd/collectd.conf.d',
     'RedHat': '/etc/collectd.d'}[grains['os_family']]) %}

write_cloudwatch.conf:
  file.managed:
    - name: {{ folder }}/10-write_cloudwatch.conf
    - source: salt://write_cloudwatch/write_cloudwatch.conf.jinja
    - template: jinja
    - user: root
    - group: root
    - mode: '0640'
    - show_changes: False
    - context:
        settings: {{ settings | json }}

write_cloudwatch-restart:
  service.running:
    - name: collectd
    - watch:
      - file: write_cloudwatch.conf
