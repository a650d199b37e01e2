package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

var ejabberd = &kind{name: "ejabberd", title: "ejabberd", configure: configureEjabberd, room: []string{"--room", "bench@conference.DOMAIN"}, native: nativeRoom, fill: insertArchive, imports: true}

// ejabberdConfig wants the domain, the file of the certificate with its key, and the ports.
const ejabberdConfig = `
loglevel: warning
hosts: [%q]
certfiles: [%q]
listen:
  - port: %d
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: true
    shaper: none
  -
    port: %d
    ip: "127.0.0.1"
    module: ejabberd_s2s_in
    max_stanza_size: 262144
    shaper: none
s2s_use_starttls: required
outgoing_s2s_families: [ipv4]
auth_method: internal
auth_password_format: scram
registration_timeout: infinity
shaper_rules:
  max_user_sessions: 100000
  max_user_offline_messages: 100
access_rules:
  register:
    allow: all
modules:
  mod_s2s_dialback: {}
  mod_disco: {}
  mod_ping: {}
  mod_roster: {}
  mod_private: {}
  mod_vcard: {}
  mod_version: {}
  mod_time: {}
  mod_last: {}
  mod_carboncopy: {}
  mod_offline: {}
  mod_stream_mgmt: {}
  mod_caps: {}
  mod_pubsub:
    plugins: [flat, pep]
  mod_mam:
    default: never
  mod_register:
    access: register
    ip_access: all
    password_strength: 0
    welcome_message: {subject: "", body: ""}
  mod_muc:
    max_users: 1000
    min_message_interval: 0
    min_presence_interval: 0
    default_room_options:
      max_users: 1000
      allow_change_subj: true
`

func configureEjabberd(b *bench, s *server) error {
	if _, err := find("ejabberdctl"); err != nil {
		return err
	}
	erl, err := find("erl")
	if err != nil {
		return err
	}
	libraries, err := filepath.Glob("/usr/lib/*/ejabberd-*/ebin")
	if err != nil || len(libraries) == 0 {
		return errors.New("its library is not where Debian's package has it")
	}
	pem, err := certificateWithKey(s)
	if err != nil {
		return err
	}
	config, err := s.write("ejabberd.yml", fmt.Sprintf(ejabberdConfig, domain, pem, s.port, s.links))
	if err != nil {
		return err
	}
	ip := strings.ReplaceAll(b.dns.Addr.Addr().String(), ".", ",") // Erlang's own resolver reads no file of the system
	resolver := fmt.Sprintf("{resolv_conf, \"\"}.\n{hosts_file, \"\"}.\n{lookup, [dns]}.\n{nameserver, {%s}, %d}.\n", ip, b.dns.Addr.Port())
	if _, err := s.write("inetrc", resolver); err != nil {
		return err
	}
	s.command = func() *exec.Cmd { return ejabberdCommand(s, erl, config, filepath.Dir(filepath.Dir(libraries[0]))) }
	s.version = packageVersion("ejabberd")
	return nil
}

// certificateWithKey is the one file in which ejabberd wants both.
func certificateWithKey(s *server) (string, error) {
	cert, err := os.ReadFile(s.cert.CertFile)
	if err != nil {
		return "", err
	}
	key, err := os.ReadFile(s.cert.KeyFile)
	if err != nil {
		return "", err
	}
	return s.write("both.pem", string(key)+string(cert))
}

// ejabberdCommand does not go by way of ejabberdctl, which wants a user and a name service of its own:
// without a node name nothing of Erlang listens.
func ejabberdCommand(s *server, erl, config, libraries string) *exec.Cmd {
	cmd := exec.Command(erl, "-noinput", "+K", "true", "+P", "250000", "-mnesia", "dir", `"`+filepath.Join(s.dir, "mnesia")+`"`, "-s", "ejabberd")
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(),
		"HOME="+s.dir, "EJABBERD_CONFIG_PATH="+config, "EJABBERD_LOG_PATH="+filepath.Join(s.dir, "ejabberd.log"),
		"ERL_INETRC="+filepath.Join(s.dir, "inetrc"), "ERL_LIBS="+libraries, "ERL_CRASH_DUMP_BYTES=0", "ERL_MAX_PORTS=65536")
	return cmd
}

// find is the path of a program that may be one of root's.
func find(program string) (string, error) {
	for _, name := range []string{program, "/usr/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", program)
}

// packageVersion is what Debian says, without its own numbering.
func packageVersion(name string) string {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
	if err != nil {
		return "of unknown version"
	}
	version, _, _ := strings.Cut(string(out), "-")
	return version
}
