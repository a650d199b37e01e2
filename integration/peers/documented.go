package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// documentedHost is the host of the configurations in the documentation.
const documentedHost = "example.org"

// Adapt replaces what a documented configuration has of a real machine, such as paths and ports: pairs of the old text and the new one. The
// test fails where the old text does not occur.
func Adapt(t testing.TB, config string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(config, pairs[i]) {
			t.Fatalf("the documented configuration has no %q:\n%s", pairs[i], config)
		}
	}
	return strings.NewReplacer(pairs...).Replace(config)
}

// StartDocumentedProsody runs Prosody with a documented configuration.
func StartDocumentedProsody(t testing.TB, config string, setup Setup) *Prosody {
	t.Helper()
	setup.Host = documentedHost
	p := &Prosody{t: t, dir: t.TempDir(), bin: Need(t, "prosody"), log: NewLog(t, "prosody")}
	p.needModule("privilege")
	authority := setup.certificate(t, p.dir, setup.Host)
	clients, components := FreePort(t), FreePort(t)
	p.Server = Server{
		Host: setup.Host, ClientAddr: fmt.Sprintf("127.0.0.1:%d", clients), ComponentAddr: fmt.Sprintf("127.0.0.1:%d", components),
		TLS: authority.Client(), CertFile: authority.CertFile,
	}
	own := fmt.Sprintf("run_as_root = true\ndaemonize = false\nlog = { { levels = { min = \"info\" }; to = \"console\" } }\ninterfaces = { \"127.0.0.1\" }\n"+
		"c2s_ports = { %d }\nc2s_direct_tls_ports = {}\ns2s_ports = {}\nhttp_ports = {}\nhttps_ports = {}\nssl = { certificate = %q; key = %q }\n",
		clients, authority.CertFile, authority.KeyFile)
	text := own + Adapt(t, config, "/var/lib/prosody", filepath.Join(p.dir, "data"), "/run/prosody/prosody.pid", filepath.Join(p.dir, "pid"),
		"/etc/prosody/certs", p.dir, "5347", fmt.Sprint(components))
	if err := os.WriteFile(p.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range setup.Components {
		p.components = append(p.components, c.Domain)
	}
	for _, a := range setup.Accounts {
		p.AddAccount(a)
	}
	p.start()
	return p
}

// StartDocumentedEjabberd runs ejabberd with a documented configuration, and with a listener for the commands of the test.
func StartDocumentedEjabberd(t testing.TB, config string, setup Setup) *Ejabberd {
	t.Helper()
	setup.Host = documentedHost
	erlang := NeedEjabberd(t)
	e := &Ejabberd{t: t, dir: t.TempDir(), log: NewLog(t, "ejabberd")}
	authority := setup.certificate(t, e.dir, setup.Host, "conference."+setup.Host, "pubsub."+setup.Host)
	clients, components, servers, api := FreePort(t), FreePort(t), FreePort(t), FreePort(t)
	e.Server = Server{
		Host: setup.Host, ClientAddr: fmt.Sprintf("127.0.0.1:%d", clients), ComponentAddr: fmt.Sprintf("127.0.0.1:%d", components),
		TLS: authority.Client(), CertFile: authority.CertFile, Mechanism: "SCRAM-SHA-1",
	}
	e.api = fmt.Sprintf("http://127.0.0.1:%d/api/", api)
	text := "loglevel: info\nauth_password_format: scram\napi_permissions: {tests: {from: [mod_http_api], who: {ip: 127.0.0.1/8}, what: \"*\"}}\n" +
		Adapt(t, config, "5222", fmt.Sprint(clients), "5269", fmt.Sprint(servers), "5347", fmt.Sprint(components), "\"::\"", "\"127.0.0.1\"",
			`  - "/etc/ejabberd/certs/*.pem"`, fmt.Sprintf("  - %q\n  - %q", authority.CertFile, authority.KeyFile),
			"listen:\n", fmt.Sprintf("listen:\n  - {port: %d, ip: \"127.0.0.1\", module: ejabberd_http, request_handlers: {\"/api\": mod_http_api}}\n", api))
	if err := os.WriteFile(e.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range setup.Components {
		e.components = append(e.components, c.Domain)
	}
	e.start(erlang)
	for _, a := range setup.Accounts {
		e.AddAccount(a)
	}
	return e
}
