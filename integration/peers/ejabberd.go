package peers

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
)

// ejabberdLibraries is where Debian keeps ejabberd for Erlang.
const ejabberdLibraries = "/usr/lib/x86_64-linux-gnu"

// Ejabberd is an ejabberd that runs.
type Ejabberd struct {
	Server
	t    testing.TB
	dir  string
	api  string // where its commands are called
	log  *Log
	proc *Process

	components  []string
	environment []string
}

// ejabberdModules are loaded beside mod_privilege. mod_caps does not work without mod_muc.
var ejabberdModules = []string{
	"roster", "disco", "caps", "muc", "offline", "ping", "vcard", "last", "time", "version", "privacy", "blocking", "private", "carboncopy", "stream_mgmt",
	"mam", "pubsub",
}

// StartEjabberd runs an ejabberd of its own, with a node that has no name: it needs no port mapper.
func StartEjabberd(t testing.TB, setup Setup) *Ejabberd {
	t.Helper()
	erlang := NeedEjabberd(t)
	e := &Ejabberd{t: t, dir: t.TempDir(), log: NewLog(t, "ejabberd")}
	authority := setup.certificate(t, e.dir, append([]string{setup.Host, "conference." + setup.Host, "pubsub." + setup.Host}, setup.componentDomains()...)...)
	clients, components, api := FreePort(t), FreePort(t), FreePort(t)
	e.Server = Server{
		Host:          setup.Host,
		ClientAddr:    fmt.Sprintf("127.0.0.1:%d", clients),
		ComponentAddr: fmt.Sprintf("127.0.0.1:%d", components),
		TLS:           authority.Client(),
		CertFile:      authority.CertFile,
		Mechanism:     "SCRAM-SHA-1", // version 23.01 offers channel binding over TLS 1.3, and refuses ours
	}
	e.api = fmt.Sprintf("http://127.0.0.1:%d/api/", api)
	federation, listener := e.federate(setup)
	var b strings.Builder
	fmt.Fprintf(&b, "hosts: [%q]\nloglevel: info\ncertfiles: [%q, %q]\nauth_password_format: scram\n", setup.Host, authority.CertFile, authority.KeyFile)
	fmt.Fprintf(&b, "access_rules: {anybody: {allow: all}, gateways: {allow: gateways}}\napi_permissions: {tests: {from: [mod_http_api], who: {ip: 127.0.0.1/8}, what: \"*\"}}\n")
	fmt.Fprintf(&b, "%slisten:\n%s", federation, listener)
	fmt.Fprintf(&b, "  - {port: %d, ip: \"127.0.0.1\", module: ejabberd_c2s, starttls_required: true, access: anybody}\n", clients)
	fmt.Fprintf(&b, "  - {port: %d, ip: \"127.0.0.1\", module: ejabberd_http, request_handlers: {\"/api\": mod_http_api, \"/upload\": mod_http_upload}}\n", api)
	fmt.Fprintf(&b, "  - port: %d\n    ip: \"127.0.0.1\"\n    module: ejabberd_service\n    hosts:\n", components)
	if len(setup.Components) == 0 {
		fmt.Fprintf(&b, "      \"nobody.invalid\": {password: \"%s\"}\n", rand.Text()) // the list must not be empty
	}
	var privileged []string
	for _, c := range setup.Components {
		e.components = append(e.components, c.Domain)
		fmt.Fprintf(&b, "      %q: {password: %q}\n", c.Domain, c.Secret)
		if c.Privileged {
			privileged = append(privileged, fmt.Sprintf("%q", c.Domain))
		}
	}
	fmt.Fprintf(&b, "modules:\n")
	for _, m := range ejabberdModules {
		options := "{}"
		if m == "pubsub" && setup.Nodes {
			options = "{plugins: [flat, pep]}"
		}
		fmt.Fprintf(&b, "  mod_%s: %s\n", m, options)
	}
	if setup.Federation != nil {
		fmt.Fprintf(&b, "  mod_s2s_dialback: {}\n  mod_http_upload: {access: all, put_url: \"http://127.0.0.1:%d/upload\", docroot: %q}\n", api, filepath.Join(e.dir, "uploads"))
	}
	if len(privileged) == 0 {
		privileged = []string{"nobody.invalid"}
	} else {
		// What is named there is a rule, not a list.
		fmt.Fprintf(&b, "  mod_privilege:\n    roster: {both: gateways}\n    message: {outgoing: gateways}\n    presence: {roster: gateways}\n")
	}
	fmt.Fprintf(&b, "acl: {gateways: {server: [%s]}}\n", strings.Join(privileged, ", "))
	if err := os.WriteFile(e.config(), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	e.start(erlang)
	for _, a := range setup.Accounts {
		e.AddAccount(a)
	}
	return e
}

// NeedEjabberd is Erlang, with an ejabberd to run in it.
func NeedEjabberd(t testing.TB) string {
	t.Helper()
	if found, _ := filepath.Glob(ejabberdLibraries + "/ejabberd-*/ebin/ejabberd.beam"); len(found) == 0 {
		Missing(t, "ejabberd is not installed")
	}
	return Need(t, "erl")
}

// FillsRosters reports whether this ejabberd lets components set roster items, as its mod_privilege says:
// before 23.10 each such request ends with an error.
func (e *Ejabberd) FillsRosters() bool {
	e.t.Helper()
	found, err := filepath.Glob(ejabberdLibraries + "/ejabberd-*")
	if err != nil || len(found) == 0 {
		e.t.Fatalf("version of ejabberd: %v", err)
	}
	var year, month int
	if _, err := fmt.Sscanf(filepath.Base(found[len(found)-1]), "ejabberd-%d.%d", &year, &month); err != nil {
		e.t.Fatalf("version of %s: %v", found, err)
	}
	return year*100+month >= 2310
}

// federate returns the settings of links with other servers, and their part of section listen.
func (e *Ejabberd) federate(setup Setup) (settings, listen string) {
	f := setup.Federation
	if f == nil {
		return "", ""
	}
	port := FreePort(e.t)
	e.ServerAddr = fmt.Sprintf("127.0.0.1:%d", port)
	f.Announce(e.t, e.ServerAddr, append(setup.componentDomains(), setup.Host, "conference."+setup.Host, "pubsub."+setup.Host)...)
	// Erlang's own resolver asks the DNS server of the test, and reads no file of the system.
	ip := strings.ReplaceAll(f.DNS.Addr.Addr().String(), ".", ",")
	text := fmt.Sprintf("{resolv_conf, \"\"}.\n{hosts_file, \"\"}.\n{lookup, [dns]}.\n{nameserver, {%s}, %d}.\n", ip, f.DNS.Addr.Port())
	e.environment = append(e.environment, "ERL_INETRC="+filepath.Join(e.dir, "inetrc"))
	if err := os.WriteFile(filepath.Join(e.dir, "inetrc"), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
	return fmt.Sprintf("s2s_use_starttls: required\ns2s_cafile: %q\noutgoing_s2s_families: [ipv4]\n", f.CAFile),
		fmt.Sprintf("  - {port: %d, ip: \"127.0.0.1\", module: ejabberd_s2s_in}\n", port)
}

func (e *Ejabberd) config() string { return filepath.Join(e.dir, "ejabberd.yml") }

func (e *Ejabberd) start(erlang string) {
	e.t.Helper()
	database := filepath.Join(e.dir, "database")
	if err := os.MkdirAll(database, 0o700); err != nil {
		e.t.Fatal(err)
	}
	cmd := exec.Command(erlang, "-noinput", "+S", "1:1", "+sbwt", "none", "-mnesia", "dir", fmt.Sprintf("%q", database), "-s", "ejabberd")
	cmd.Dir = e.dir
	cmd.Env = append(os.Environ(), "EJABBERD_CONFIG_PATH="+e.config(), "EJABBERD_LOG_PATH="+filepath.Join(e.dir, "ejabberd.log"),
		"EJABBERD_PID_PATH="+filepath.Join(e.dir, "pid"), "ERL_LIBS="+ejabberdLibraries, "ERL_CRASH_DUMP_BYTES=0", "HOME="+e.dir)
	cmd.Env = append(cmd.Env, e.environment...)
	e.proc = Spawn(e.t, e.log, cmd)
	for _, addr := range []string{e.ClientAddr, e.ComponentAddr} {
		e.proc.WaitListening(e.t, addr)
	}
	for _, domain := range e.components {
		ctx, cancel := context.WithTimeout(e.t.Context(), startTimeout)
		err := Poll(ctx, func() error { return e.serves(ctx, domain) })
		cancel()
		if err != nil {
			e.t.Fatalf("ejabberd does not serve %s: %v\n%s", domain, err, e.log.Tail())
		}
	}
}

// serves reports whether a component of the domain could attach.
func (e *Ejabberd) serves(ctx context.Context, domain string) error {
	_, err := client.Attach(ctx, e.ComponentAddr, domain, "wrong on purpose")
	if fault, ok := errors.AsType[*client.StreamError](err); ok && fault.Condition == "not-authorized" {
		return nil
	}
	return err
}

// Restart asks ejabberd to end (SIGTERM) and starts it again on the same data: it writes some of it later.
func (e *Ejabberd) Restart() {
	e.t.Helper()
	if _, err := e.proc.Stop(); err != nil {
		e.t.Error(err)
	}
	e.start(NeedEjabberd(e.t))
}

// AddAccount registers an account.
func (e *Ejabberd) AddAccount(a Account) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), startTimeout)
	defer cancel()
	err := Poll(ctx, func() error {
		return e.call(ctx, "register", map[string]string{"user": a.User, "host": e.Host, "password": a.Password})
	})
	if err != nil {
		e.t.Fatalf("register %s: %v\n%s", a.User, err, e.log.Tail())
	}
}

// call calls a command of ejabberd.
func (e *Ejabberd) call(ctx context.Context, command string, arguments any) error {
	body, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.api+command, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return err
}

// Export writes all accounts of the host to a directory (XEP-0227), and returns the main file.
func (e *Ejabberd) Export() string {
	e.t.Helper()
	dir := filepath.Join(e.dir, "export")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		e.t.Fatal(err)
	}
	if err := e.call(e.t.Context(), "export_piefxis", map[string]string{"dir": dir}); err != nil {
		e.t.Fatalf("export: %v\n%s", err, e.log.Tail())
	}
	return dir
}
