package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

var prosody = &kind{name: "prosody", title: "Prosody", configure: configureProsody, room: []string{"--room", "bench@conference.DOMAIN"}, native: nativeRoom, fill: receiveArchive}

func configureProsody(b *bench, s *server) error {
	path, err := find("prosody")
	if err != nil {
		return err
	}
	config, err := s.write("prosody.cfg.lua", fmt.Sprintf(`
run_as_root = true
daemonize = false
pidfile = %q
data_path = %q
log = { { levels = { min = "warn" }; to = "console" } }
interfaces = { "127.0.0.1" }
c2s_ports = { %d }
c2s_direct_tls_ports = {}
s2s_ports = { %d }
s2s_direct_tls_ports = {}
s2s_require_encryption = true
unbound = { resolvconf = false; hoststxt = false; forward = "%s@%d"; options = { ["do-not-query-localhost:"] = "no"; ["module-config:"] = "iterator" } }
component_ports = {}
http_ports = {}
https_ports = {}
modules_enabled = {
	"roster"; "saslauth"; "tls"; "disco"; "private"; "vcard"; "version"; "time"; "ping"; "register"; "carbons"; "offline"; "lastactivity"; "mam"; "dialback"; "pep"; "smacks";
}
authentication = "internal_hashed"
default_iteration_count = 10000
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = true
default_archive_policy = false
ssl = { certificate = %q; key = %q }
VirtualHost %q
Component "conference.%s" "muc"
	restrict_room_creation = false
	muc_room_locking = false
`, filepath.Join(s.dir, "pid"), filepath.Join(s.dir, "data"), s.port, s.links, b.dns.Addr.Addr(), b.dns.Addr.Port(), s.cert.CertFile, s.cert.KeyFile, domain, domain))
	if err != nil {
		return err
	}
	s.command = func() *exec.Cmd {
		cmd := exec.Command(path, "-F", "--config", config)
		cmd.Dir = s.dir
		return cmd
	}
	s.version = packageVersion("prosody")
	return nil
}
