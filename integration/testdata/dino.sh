#!/bin/bash
# dino.sh DRAGOMAN DIRECTORY: logs Dino in to the demo. It runs in namespaces of its own (unshare --mount --net --pid), so that port 5222 is free,
# what the machine trusts does not change, and all processes end with it. The commands that the demo prints are run as they
# are; only sudo is another program.
set -euo pipefail
dragoman=$1 dir=$2

fail() { echo "$*" >&2; tail -n 30 "$dir"/*.log >&2 || true; exit 1; }

# await SECONDS COMMAND... waits until a command succeeds.
await() {
	local left=$(($1 * 5))
	shift
	until "$@" 2>/dev/null; do
		[ $((left--)) -gt 0 ] || return 1
		sleep 0.2
	done
}

ip link set lo up
mkdir -p "$dir"/{certs,trusted,bin,home,run}
chmod 700 "$dir/run"
cp -dR --preserve=mode /etc/ssl/certs/. "$dir/certs"
mount --bind "$dir/certs" /etc/ssl/certs
mount --bind "$dir/trusted" /usr/local/share/ca-certificates
mkdir -p /tmp/.X11-unix
mount -t tmpfs -o mode=1777 sockets /tmp/.X11-unix # X servers of other namespaces do not replace this one's
printf '#!/bin/sh\nexec "$@"\n' >"$dir/bin/sudo"
chmod 755 "$dir/bin/sudo"
export PATH="$dir/bin:$PATH:/usr/sbin:/sbin" HOME="$dir/home" XDG_RUNTIME_DIR="$dir/run"
export XDG_DATA_HOME="$HOME/data" XDG_CONFIG_HOME="$HOME/config" XDG_CACHE_HOME="$HOME/cache"
export GDK_BACKEND=x11 GSK_RENDERER=cairo LIBGL_ALWAYS_SOFTWARE=1 GTK_A11Y=none NO_AT_BRIDGE=1
unset SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY || true

"$dragoman" demo --no-tour --data "$dir/data" >"$dir/demo.log" 2>&1 &
await 60 grep -q 'Ctrl-C ends the demo' "$dir/demo.log" || fail "the demo does not start"

Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3>"$dir/display" >"$dir/xvfb.log" 2>&1 &
await 60 test -s "$dir/display" || fail "Xvfb does not start"
DISPLAY=:$(cat "$dir/display")
export DISPLAY

# end ends Dino, which runs under dbus-run-session. There is no other process of that name in this namespace.
end() {
	pkill -x dino-im || true
	await 10 sh -c "! kill -0 $1" || kill -9 "$1" || true
	wait "$1" || true
}

# Dino makes its database; the account is entered there, as its dialogue does.
database=$XDG_DATA_HOME/dino/dino.db
enter() {
	python3 - "$database" "$(cat "$dir/data/demo.password")" <<-'PYTHON'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1], timeout=10)
		db.execute("INSERT OR REPLACE INTO account (bare_jid, resourcepart, password, alias, enabled) VALUES ('demo@localhost', 'dino.test', ?, '', 1)", (sys.argv[2],))
		db.commit()
	PYTHON
}
dbus-run-session dino-im >"$dir/dino-first.log" 2>&1 &
first=$!
await 90 enter || fail "Dino makes no database"
end "$first"

# dino runs it until the server has sent it what is asked for, or the time is over.
dino() {
	local log=$1 seconds=$2 sign=$3 ok=0
	G_MESSAGES_DEBUG=all dbus-run-session dino-im --print-xmpp=all >"$log" 2>&1 &
	local pid=$!
	await "$seconds" grep -q "$sign" "$log" || ok=1
	end "$pid"
	return "$ok"
}

dino "$dir/dino-untrusted.log" 90 UNKNOWN_CA || fail "Dino does not refuse the certificate before it is trusted"
if grep -q 'jabber:iq:roster' "$dir/dino-untrusted.log"; then
	fail "Dino logs in before the certificate is trusted"
fi
command=$(grep -o 'sudo install .*' "$dir/demo.log" | head -n 1)
[ -n "$command" ] || fail "the demo prints no command"
eval "$command" >"$dir/trust.log" 2>&1 || fail "the command fails: $command"
dino "$dir/dino.log" 90 'jabber:iq:roster' || fail "Dino does not log in"
echo "Dino has logged in"
