package peers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
)

// Prosody is a Prosody that runs.
type Prosody struct {
	Server
	t    testing.TB
	dir  string
	bin  string
	log  *Log
	proc *Process

	components []string
}

// prosodyModules are loaded beside the ones that Prosody always loads.
const prosodyModules = `"roster"; "saslauth"; "tls"; "disco"; "private"; "vcard"; "version"; "time"; "ping"; "register"; "blocklist"; "carbons"; "offline"; "smacks"; "uptime"; "lastactivity"; "mam"; "pep"; "bookmarks"; "csi"; `

// StartProsody runs a Prosody of its own.
func StartProsody(t testing.TB, setup Setup) *Prosody {
	t.Helper()
	p := &Prosody{t: t, dir: t.TempDir(), bin: Need(t, "prosody"), log: NewLog(t, "prosody")}
	authority := setup.certificate(t, p.dir, append([]string{setup.Host, anonymousHost(setup.Host), "conference." + setup.Host}, setup.componentDomains()...)...)
	clients, components := FreePort(t), FreePort(t)
	p.Server = Server{
		Host:          setup.Host,
		ClientAddr:    fmt.Sprintf("127.0.0.1:%d", clients),
		ComponentAddr: fmt.Sprintf("127.0.0.1:%d", components),
		TLS:           authority.Client(),
		CertFile:      authority.CertFile,
	}
	privileged := ""
	for _, c := range setup.Components {
		if c.Privileged {
			privileged += fmt.Sprintf("[%q] = { roster = \"both\"; message = \"outgoing\"; presence = \"roster\"; iq = { [\"http://jabber.org/protocol/pubsub\"] = \"both\" } }; ", c.Domain)
		}
	}
	extra := ""
	if privileged != "" {
		p.needModule("privilege")
		extra = `"privilege"; `
	}
	if len(setup.Groups) > 0 {
		extra += `"groups"; `
		p.writeGroups(setup)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "groups_file = %q\n", p.groups())
	fmt.Fprintf(&b, "run_as_root = true\ndaemonize = false\npidfile = %q\ndata_path = %q\n", filepath.Join(p.dir, "pid"), filepath.Join(p.dir, "data"))
	fmt.Fprintf(&b, "log = { { levels = { min = \"info\" }; to = \"console\" } }\n")
	fmt.Fprintf(&b, "interfaces = { \"127.0.0.1\" }\nlocal_interfaces = { \"127.0.0.1\" }\nuse_libevent = false\n")
	fmt.Fprintf(&b, "c2s_ports = { %d }\nc2s_direct_tls_ports = {}\ncomponent_ports = { %d }\ncomponent_interfaces = { \"127.0.0.1\" }\nhttps_ports = {}\n", clients, components)
	extra += p.federate(t, &b, setup)
	fmt.Fprintf(&b, "modules_enabled = { %s%s}\nauthentication = \"internal_hashed\"\nallow_registration = false\n", prosodyModules, extra)
	fmt.Fprintf(&b, "ssl = { certificate = %q; key = %q%s }\n", authority.CertFile, authority.KeyFile, setup.caFile())
	fmt.Fprintf(&b, "VirtualHost %q\n\tprivileged_entities = { %s}\n", setup.Host, privileged)
	if setup.Admin != "" {
		fmt.Fprintf(&b, "\tadmins = { %q }\n\tmodules_enabled = { \"adhoc\"; \"admin_adhoc\"; \"announce\" }\n", setup.Admin+"@"+setup.Host)
	}
	if setup.Anonymous {
		fmt.Fprintf(&b, "VirtualHost %q\n\tauthentication = \"anonymous\"\n", anonymousHost(setup.Host))
	}
	if setup.Rooms != "" {
		fmt.Fprintf(&b, "Component %q \"muc\"\n\tmodules_enabled = { \"muc_mam\" }\n\trestrict_room_creation = false\n\tmuc_room_locking = false\n\tmuc_room_default_public_jids = true\n", setup.Rooms)
	}
	if setup.Conference {
		fmt.Fprintf(&b, "Component %q \"muc\"\n\tmodules_enabled = { \"muc_mam\" }\n\trestrict_room_creation = false\n", "conference."+setup.Host)
	}
	if setup.Federation != nil {
		fmt.Fprintf(&b, "Component %q \"http_file_share\"\n\thttp_host = \"127.0.0.1\"\n", "upload."+setup.Host)
	}
	for _, c := range setup.Components {
		p.components = append(p.components, c.Domain)
		fmt.Fprintf(&b, "Component %q\n\tcomponent_secret = %q\n\tmodules_enabled = { %s}\n", c.Domain, c.Secret, extra)
	}
	if err := os.WriteFile(p.config(), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, a := range setup.Accounts {
		p.AddAccount(a)
	}
	p.start()
	return p
}

// federate writes the settings of links with other servers, and returns further modules.
func (p *Prosody) federate(t testing.TB, b *strings.Builder, setup Setup) string {
	t.Helper()
	f := setup.Federation
	if f == nil {
		fmt.Fprintf(b, "http_ports = {}\ns2s_ports = {}\nmodules_disabled = { \"s2s\" }\n")
		return ""
	}
	if found, _ := filepath.Glob("/usr/lib/*/lua/5.4/lunbound.so"); len(found) == 0 {
		Missing(t, "lua-unbound is not installed, without which Prosody asks the DNS server of the system")
	}
	port, direct, web := FreePort(t), FreePort(t), FreePort(t)
	fmt.Fprintf(b, "http_ports = { %d }\nhttp_external_url = \"http://127.0.0.1:%d/\"\n", web, web)
	p.ServerAddr = fmt.Sprintf("127.0.0.1:%d", port)
	fmt.Fprintf(b, "s2s_ports = { %d }\ns2s_direct_tls_ports = { %d }\ns2s_secure_auth = %t\ns2s_require_encryption = true\n", port, direct, !setup.Dialback)
	// The DNS server is on this machine, and has no keys.
	fmt.Fprintf(b, "unbound = { resolvconf = false; hoststxt = false; forward = \"%s@%d\"; options = { [\"do-not-query-localhost:\"] = \"no\"; [\"module-config:\"] = \"iterator\" } }\n",
		f.DNS.Addr.Addr(), f.DNS.Addr.Port())
	f.Announce(t, p.ServerAddr, append(setup.componentDomains(), setup.Host, "conference."+setup.Host)...)
	f.AnnounceTLS(t, fmt.Sprintf("127.0.0.1:%d", direct), setup.Host)
	return `"dialback"; "s2s_bidi"; `
}

// caFile is a setting for the authorities that are trusted.
func (s *Setup) caFile() string {
	if s.Federation == nil {
		return ""
	}
	return fmt.Sprintf("; cafile = %q", s.Federation.CAFile)
}

func (p *Prosody) groups() string { return filepath.Join(p.dir, "groups.txt") }

func (p *Prosody) writeGroups(setup Setup) {
	p.t.Helper()
	var b strings.Builder
	for _, g := range setup.Groups {
		fmt.Fprintf(&b, "[%s]\n%s\n", g.Name, strings.Join(g.addresses(setup.Host), "\n"))
	}
	if err := os.WriteFile(p.groups(), []byte(b.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// needModule skips the test if a community module is not installed.
func (p *Prosody) needModule(name string) {
	p.t.Helper()
	if _, err := os.Stat("/usr/lib/prosody/modules/mod_" + name); err != nil {
		Missing(p.t, "Prosody's mod_"+name+" is not installed")
	}
}

func (p *Prosody) config() string { return filepath.Join(p.dir, "prosody.cfg.lua") }

func (p *Prosody) start() {
	p.t.Helper()
	cmd := exec.Command(p.bin, "-F", "--config", p.config())
	cmd.Dir = p.dir
	p.proc = Spawn(p.t, p.log, cmd)
	p.proc.WaitListening(p.t, p.ClientAddr)
	for _, domain := range p.components {
		p.waitServing(domain)
	}
}

// waitServing returns once a component of the domain could attach: Prosody listens before
// it knows its hosts.
func (p *Prosody) waitServing(domain string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), startTimeout)
	defer cancel()
	err := Poll(ctx, func() error {
		_, err := client.Attach(ctx, p.ComponentAddr, domain, "wrong on purpose")
		var fault *client.StreamError
		if errors.As(err, &fault) && fault.Condition == "not-authorized" {
			return nil
		}
		return err
	})
	if err != nil {
		p.t.Fatalf("prosody does not serve %s: %v\n%s", domain, err, p.log.Tail())
	}
}

// Restart kills Prosody and starts it again on the same data.
func (p *Prosody) Restart() {
	p.t.Helper()
	p.proc.Kill()
	p.start()
}

// AddAccount writes an account where Prosody looks for it at the next login.
func (p *Prosody) AddAccount(a Account) {
	p.t.Helper()
	dir := filepath.Join(p.dir, "data", encode(p.Host), "accounts")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	text := fmt.Sprintf("return { [\"password\"] = %q; };\n", a.Password)
	if err := os.WriteFile(filepath.Join(dir, encode(a.User)+".dat"), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// encode names files as Prosody does: all but ASCII letters and digits as %xx.
func encode(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// Export stops Prosody, writes all accounts of the host to files (XEP-0227) with Prosody's own migrator, and returns their directory.
func (p *Prosody) Export() string {
	p.t.Helper()
	migrator := Need(p.t, "prosody-migrator")
	p.proc.Kill()
	// The migrator changes to a user of the system that cannot enter the test's own directory.
	dir, err := os.MkdirTemp("", "export")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(filepath.Join(p.dir, "data"))); err != nil {
		p.t.Fatal(err)
	}
	config, export := filepath.Join(dir, "migrator.cfg.lua"), filepath.Join(dir, "export")
	stores := `{ "accounts", "roster", "vcard", "private", "archive-archive", "pep-pubsub", "pep_data-archive" }`
	text := fmt.Sprintf("data_path = %[1]q\ninput { type = \"internal\"; path = %[2]q; hosts = { [%[3]q] = %[4]s } }\noutput { type = \"xep0227\"; path = %[1]q }\n",
		export, filepath.Join(dir, "data"), p.Host, stores)
	if err := errors.Join(os.WriteFile(config, []byte(text), 0o600), os.Mkdir(export, 0o700)); err != nil {
		p.t.Fatal(err)
	}
	// Where it writes is fixed in the program.
	program, err := os.ReadFile(migrator)
	if err != nil {
		p.t.Fatal(err)
	}
	own := filepath.Join(dir, "migrator")
	program = regexp.MustCompile(`(?m)^CFG_DATADIR=.*$`).ReplaceAll(program, fmt.Appendf(nil, "CFG_DATADIR=%q", export))
	if err := os.WriteFile(own, program, 0o700); err != nil {
		p.t.Fatal(err)
	}
	giveToProsody(p.t, dir)
	cmd := exec.CommandContext(p.t.Context(), own, "--config="+config, "input", "output")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("export: %v\n%s", err, out)
	}
	return export
}

// giveToProsody gives a directory to the user of the system that the migrator changes to if it is root's.
func giveToProsody(t testing.TB, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	u, err := user.Lookup("prosody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, -1))
	})
	if err != nil {
		t.Fatal(err)
	}
}
