# shellcheck shell=bash
# The real firewalld in the namespace $srv, with a message bus and a configuration of its own below $dir. Its package is not installed,
# since that would start it on this machine: it is unpacked below $dir. Sourced after netns.sh.
#   firewalld_up             0, or 1 with the reason in $dir/firewalld.log
#   firewalld_cmd WORD…      firewall-cmd
firewalld_root=$dir/firewalld

firewalld_unpack() {
	mkdir -p "$firewalld_root/bus"
	if [ -x /usr/sbin/firewalld ]; then # somebody uses it: then its files are here
		mkdir -p "$firewalld_root/usr/lib" "$firewalld_root/usr/sbin" "$firewalld_root/usr/bin" "$firewalld_root/etc"
		cp -a /usr/lib/firewalld "$firewalld_root/usr/lib/" && cp /usr/sbin/firewalld "$firewalld_root/usr/sbin/" &&
			cp /usr/bin/firewall-cmd "$firewalld_root/usr/bin/" && mkdir "$firewalld_root/etc/firewalld"
	else
		(cd "$firewalld_root" && apt-get -q download firewalld && dpkg -x firewalld_*.deb .)
	fi
}

firewalld_bus() {
	cat >"$firewalld_root/bus.conf" <<-X
	<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
	<busconfig><type>system</type><listen>unix:path=$firewalld_root/bus/socket</listen><auth>EXTERNAL</auth>
	<policy context="default"><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
	X
	dbus-daemon --config-file="$firewalld_root/bus.conf" --nofork --nopidfile >>"$dir/firewalld.log" 2>&1 &
	pids+=($!)
	until_true 10 test -S "$firewalld_root/bus/socket"
}

firewalld_cmd() { DBUS_SYSTEM_BUS_ADDRESS=unix:path=$firewalld_root/bus/socket in_srv "$firewalld_root/usr/bin/firewall-cmd" "$@"; }
firewalld_runs() { [ "$(firewalld_cmd --state 2>&1)" = running ]; }

firewalld_up() {
	{ command -v dbus-daemon && firewalld_unpack && firewalld_bus; } >>"$dir/firewalld.log" 2>&1 || return 1
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$firewalld_root/bus/socket ip netns exec "$srv" "$firewalld_root/usr/sbin/firewalld" --nofork --nopid \
		--default-config "$firewalld_root/usr/lib/firewalld" --system-config "$firewalld_root/etc/firewalld" --log-file "$dir/firewalld.log" >>"$dir/firewalld.log" 2>&1 &
	pids+=($!)
	until_true 30 firewalld_runs
}
