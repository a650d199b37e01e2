package ldap

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-ldap/ldap/v3"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/core/sasl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func settings(s *identitytest.Slapd) config.LDAP {
	return config.LDAP{
		Backend: config.Backend{Name: "ldap", Timeout: config.Duration(20 * time.Second)},
		URL:     s.Secure, CA: s.Authority.File, BindDN: identitytest.ServiceDN, Password: identitytest.ServicePassword,
		Base: identitytest.Base, Filter: "(uid=%s)", ID: "entryUUID", Connections: 2,
	}
}

func open(t *testing.T, c config.LDAP) *Directory {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	s := identitytest.StartSlapd(t, identitytest.LDAPPerson{UID: "ann", Password: "pencil"}, identitytest.LDAPPerson{UID: "bob", Password: "p*)(&|=\\"},
		identitytest.LDAPPerson{UID: "twin", Password: "x"}, identitytest.LDAPPerson{UID: "twin", Password: "x"}, identitytest.LDAPPerson{UID: "nopassword"})
	for name, change := range map[string]func(*config.LDAP){
		"TLS":      func(*config.LDAP) {},
		"StartTLS": func(c *config.LDAP) { c.URL = s.Plain },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(s)
			change(&c)
			d := open(t, c)
			for _, c := range []struct {
				name, password string
				ok             bool
			}{
				{"ann", "pencil", true}, {"ann", "Pencil", false}, {"ann", "pencil ", false}, {"ann", "", false}, {"bob", "p*)(&|=\\", true}, {"bob", "pencil", false},
				{"nobody", "pencil", false}, {"twin", "x", false}, {"nopassword", "x", false}, {"nopassword", "", false},
				// LDAP injection: the name is escaped.
				{"*", "pencil", false}, {"a*", "pencil", false}, {"ann)(uid=*", "pencil", false}, {"*)(|(uid=*", "pencil", false}, {"ann\x00", "pencil", false},
				{"\\61nn", "pencil", false}, {"", "pencil", false}, {"ann)(objectClass=*))(&(uid=ann", "pencil", false}, {"\xff\xfe", "pencil", false},
			} {
				p, err := d.CheckPassword(t.Context(), c.name, c.password)
				if c.ok && (err != nil || len(p.Subject) != 36 || p.Name != c.name) || !c.ok && !errors.Is(err, sasl.ErrRefused) {
					t.Errorf("%q %q: %+v, %v", c.name, c.password, p, err)
				}
				if err != nil && c.password != "" && strings.Contains(err.Error(), "pencil") {
					t.Error("the error has the password")
				}
			}
			if p, err := d.Find(t.Context(), "ann"); err != nil || len(p.Subject) != 36 {
				t.Error(p, err)
			}
			if _, err := d.Find(t.Context(), "nobody"); !errors.Is(err, sasl.ErrRefused) {
				t.Error(err)
			}
		})
	}
}

// What is wrong with the connection or the settings is no refusal: the password was not checked.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	s := identitytest.StartSlapd(t, identitytest.LDAPPerson{UID: "ann", Password: "pencil"})
	other := identitytest.NewAuthority(t)
	for name, change := range map[string]func(*config.LDAP){
		"unknown authority":          func(c *config.LDAP) { c.CA = other.File },
		"unknown authority StartTLS": func(c *config.LDAP) { c.CA, c.URL = other.File, s.Plain },
		"name of another":            func(c *config.LDAP) { c.URL = strings.Replace(c.URL, "127.0.0.1", "127.0.0.2", 1) },
		"no TLS":                     func(c *config.LDAP) { c.URL, c.Plain = s.Plain, true }, // slapd wants it
		"wrong service password":     func(c *config.LDAP) { c.Password = "wrong" },
		"not logged in":              func(c *config.LDAP) { c.BindDN = "" },
		"no such base":               func(c *config.LDAP) { c.Base = "ou=nowhere,dc=example,dc=net" },
		"no id":                      func(c *config.LDAP) { c.ID = "mail" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := settings(s)
			change(&c)
			_, err := open(t, c).CheckPassword(t.Context(), "ann", "pencil")
			if err == nil || errors.Is(err, sasl.ErrRefused) || strings.Contains(err.Error(), "pencil") || strings.Contains(err.Error(), identitytest.ServicePassword) {
				t.Error(err)
			}
		})
	}
	c := settings(s)
	c.ID = "dn"
	if p, err := open(t, c).CheckPassword(t.Context(), "ann", "pencil"); err != nil || p.Subject != "cn=person 0,"+identitytest.Base {
		t.Error(p, err)
	}
	for _, change := range []func(*config.LDAP){
		func(c *config.LDAP) { c.CA = "/nowhere" }, func(c *config.LDAP) { c.Filter = "(uid=%s)(cn=x)" }, func(c *config.LDAP) { c.Base = "people" },
	} {
		c := settings(s)
		change(&c)
		if d, err := New(c); err == nil {
			_ = d.Close()
			t.Errorf("%+v is accepted", c)
		}
	}
}

// Connections that the directory has closed are made again.
func TestDirectoryRestarts(t *testing.T) {
	t.Parallel()
	s := identitytest.StartSlapd(t, identitytest.LDAPPerson{UID: "ann", Password: "pencil"})
	d := open(t, settings(s))
	check := func(ok bool) {
		t.Helper()
		for range 3 { // for each slot, and again
			if _, err := d.CheckPassword(t.Context(), "ann", "pencil"); (err == nil) != ok || errors.Is(err, sasl.ErrRefused) {
				t.Error(err)
			}
		}
	}
	check(true)
	s.Stop()
	check(false)
	s.Start()
	check(true)
}

// Many logins share the connections.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := identitytest.StartSlapd(t, identitytest.LDAPPerson{UID: "ann", Password: "pencil"}, identitytest.LDAPPerson{UID: "bob", Password: "pen"})
	d := open(t, settings(s))
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			name, password := "ann", "pencil"
			if i%2 == 1 {
				name, password = "bob", "pen"
			}
			if i%4 > 1 { // somebody else's
				password = map[string]string{"pencil": "pen", "pen": "pencil"}[password]
			}
			if _, err := d.CheckPassword(t.Context(), name, password); (err == nil) != (i%4 < 2) || err != nil && !errors.Is(err, sasl.ErrRefused) {
				t.Error(i, err)
			}
		})
	}
	wg.Wait()
}

// A directory that accepts connections and never answers, or sends nonsense, fails the login in time.
func TestHostileDirectory(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"silence":         "",
		"nonsense":        "HTTP/1.1 400 Bad Request\r\n\r\n",
		"2 GiB announced": "\x30\x84\x7f\xff\xff\xff\x02\x01\x01",
		"zeros":           strings.Repeat("\x00", 1<<16),
		"deep":            strings.Repeat("\x30\x84\x00\x0f\xff\xff", 1000),
		"endless":         "\x30\x80" + strings.Repeat("\x04\x01x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					wg.Go(func() {
						defer c.Close()
						_, _ = c.Write([]byte(answer))
						_, _ = c.Read(make([]byte, 1<<16))
						_, _ = c.Read(make([]byte, 1<<16)) // until it is closed
					})
				}
			})
			defer wg.Wait()
			defer l.Close()
			d, err := New(config.LDAP{
				Backend: config.Backend{Timeout: config.Duration(300 * time.Millisecond)}, URL: "ldap://" + l.Addr().String(), Plain: true,
				BindDN: "cn=x", Password: "y", Filter: "(uid=%s)", ID: "entryUUID", Connections: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if _, err := d.CheckPassword(t.Context(), "ann", "pencil"); err == nil || errors.Is(err, sasl.ErrRefused) {
				t.Error(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // the server stops
			if _, err := d.CheckPassword(ctx, "ann", "pencil"); err == nil || errors.Is(err, sasl.ErrRefused) {
				t.Error(err)
			}
		})
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"ann", "*", "a)(b", "\\2a", "\x00", "\xff", "ä"} {
		f.Add(s)
	}
	d, err := New(config.LDAP{URL: "ldap://localhost", Plain: true, Filter: "(&(objectClass=person)(uid=%s))"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text := d.filter(name)
		inner := strings.TrimSuffix(strings.TrimPrefix(text, "(&(objectClass=person)(uid="), "))")
		if strings.ContainsAny(inner, "()*\x00") {
			t.Errorf("%q", text)
		}
	})
}

// A directory that finds an entry by a name that only looks like its own does not give it away.
func TestHasName(t *testing.T) {
	t.Parallel()
	entry := ldap.NewEntry("cn=Ann,dc=example", map[string][]string{"uid": {"ann", "Annie"}})
	for filter, names := range map[string]map[string]bool{
		"(uid=%s)": {"ann": true, "annie": true, "ânn": false, "bob": false},
		"(&(objectClass=person)(|(uid=%s)(mail=%s)))": {"ann": true, "ânn": false},
		"(mail=%s)":             {"ânn": true}, // which cannot be read
		"(mail=%s@example.org)": {"ânn": true}, // which is not the name itself
	} {
		d := &Directory{}
		d.settings.Filter = filter
		for name, want := range names {
			if got := d.hasName(entry, name); got != want {
				t.Errorf("%s %s: %v", filter, name, got)
			}
		}
	}
}
