package identitytest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Names in the directory of Slapd.
const (
	Base            = "ou=people,dc=example,dc=org"
	ServiceDN       = "cn=dragoman,dc=example,dc=org"
	ServicePassword = "service secret"
	adminDN         = "cn=root,dc=example,dc=org"
)

// Slapd is a directory.
type Slapd struct {
	Plain, Secure string // URLs
	Authority     *Authority
	t             testing.TB
	dir           string
	ports         [2]int
	stop          func()
}

// LDAPPerson is an entry below Base.
type LDAPPerson struct {
	UID, Password string
	More          [][2]string // further attributes and their values
}

// StartSlapd starts Debian's slapd with some people. It skips the test where slapd is not installed, unless peers are required.
func StartSlapd(t testing.TB, people ...LDAPPerson) *Slapd {
	t.Helper()
	if _, err := exec.LookPath("slapd"); err != nil {
		if os.Getenv("DRAGOMAN_REQUIRE_PEERS") != "" {
			t.Fatal("slapd is not installed")
		}
		t.Skip("slapd is not installed")
	}
	s := &Slapd{t: t, dir: t.TempDir(), Authority: NewAuthority(t)}
	s.configure()
	s.run("slapadd", s.entries(people), "-f", s.file("slapd.conf"))
	for try := 0; ; try++ { // another program may take a free port
		s.ports = [2]int{freePort(t), freePort(t)}
		if s.begin() {
			break
		}
		if try == 5 {
			t.Fatal("slapd does not start")
		}
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

func (s *Slapd) file(name string) string { return filepath.Join(s.dir, name) }

func (s *Slapd) configure() {
	s.t.Helper()
	cert, key := s.Authority.files(s.t, s.Authority.Server(s.t))
	if err := os.Mkdir(s.file("data"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	const schemas = "/etc/ldap/schema/"
	text := fmt.Sprintf(`include %[1]score.schema
include %[1]scosine.schema
include %[1]sinetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
TLSVerifyClient never
security simple_bind=128
database mdb
suffix "dc=example,dc=org"
rootdn %[4]q
rootpw root
directory %[5]s
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=%[6]q read by * none
`, schemas, cert, key, adminDN, s.file("data"), ServiceDN)
	if err := os.WriteFile(s.file("slapd.conf"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// entries returns the contents of the directory as LDIF.
func (s *Slapd) entries(people []LDAPPerson) string {
	var b strings.Builder
	b.WriteString("dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n\ndn: " + Base + "\nobjectClass: organizationalUnit\nou: people\n\n")
	fmt.Fprintf(&b, "dn: %s\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: dragoman\nuserPassword: %s\n\n", ServiceDN, ServicePassword)
	for i, p := range people {
		fmt.Fprintf(&b, "dn: cn=person %d,%s\nobjectClass: inetOrgPerson\ncn: person %d\nsn: Example\nuid: %s\n", i, Base, i, p.UID)
		if p.Password != "" {
			fmt.Fprintf(&b, "userPassword: %s\n", p.Password)
		}
		for _, a := range p.More {
			fmt.Fprintf(&b, "%s:: %s\n", a[0], base64.StdEncoding.EncodeToString([]byte(a[1])))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (s *Slapd) run(program, input string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// Start starts a directory again that was stopped.
func (s *Slapd) Start() {
	s.t.Helper()
	if !s.begin() {
		s.t.Fatal("slapd does not start")
	}
}

// Stop ends the process.
func (s *Slapd) Stop() { s.stop() }

// begin starts the process and waits until it listens.
func (s *Slapd) begin() bool {
	s.t.Helper()
	s.Plain, s.Secure = fmt.Sprintf("ldap://127.0.0.1:%d", s.ports[0]), fmt.Sprintf("ldaps://127.0.0.1:%d", s.ports[1])
	var out bytes.Buffer
	cmd := exec.Command("slapd", "-f", s.file("slapd.conf"), "-h", s.Plain+"/ "+s.Secure+"/", "-d", "0")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
	}()
	s.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		select {
		case <-ended:
			s.t.Logf("slapd: %s", out.String())
			return false
		case <-time.After(20 * time.Millisecond):
		}
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.ports[1])); err == nil {
			_ = c.Close()
			return true
		}
	}
	s.stop()
	return false
}

// Replace replaces the people of the directory, which is stopped meanwhile.
func (s *Slapd) Replace(people ...LDAPPerson) {
	s.t.Helper()
	s.Stop()
	for _, name := range []string{"data.mdb", "lock.mdb"} {
		if err := os.Remove(filepath.Join(s.file("data"), name)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.run("slapadd", s.entries(people), "-f", s.file("slapd.conf"))
	s.Start()
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
