package certificate

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// TestNames compares names of certificates with domains.
func TestNames(t *testing.T) { // checklist 106
	t.Parallel()
	root := authority(t, "root", nil)
	roots := pool(root)
	organisation := asn1.ObjectIdentifier{2, 5, 4, 10}
	for _, c := range []struct {
		name     string
		template x509.Certificate
		domain   string
		want     bool
	}{
		{"DNS-ID", x509.Certificate{DNSNames: []string{"a.example"}}, "a.example", true},
		{"second DNS-ID", x509.Certificate{DNSNames: []string{"b.example", "a.example"}}, "a.example", true},
		{"another domain", x509.Certificate{DNSNames: []string{"b.example"}}, "a.example", false},
		{"letter case", x509.Certificate{DNSNames: []string{"A.Example"}}, "a.eXample", true},
		{"dot at the end of the domain", x509.Certificate{DNSNames: []string{"a.example"}}, "a.example.", true},
		{"dot at the end of the name", x509.Certificate{DNSNames: []string{"a.example."}}, "a.example", false},
		{"subdomain", x509.Certificate{DNSNames: []string{"a.example"}}, "chat.a.example", false},
		{"parent", x509.Certificate{DNSNames: []string{"chat.a.example"}}, "a.example", false},
		{"no names", x509.Certificate{}, "a.example", false},

		{"wildcard", x509.Certificate{DNSNames: []string{"*.a.example"}}, "chat.a.example", true},
		{"OF-3243: wildcard without a boundary of labels", x509.Certificate{DNSNames: []string{"*.ex.example"}}, "evilex.example", false},
		{"OF-3243: wildcard for two labels", x509.Certificate{DNSNames: []string{"*.ex.example"}}, "a.b.ex.example", false},
		{"wildcard for no label", x509.Certificate{DNSNames: []string{"*.a.example"}}, "a.example", false},
		{"wildcard in a label", x509.Certificate{DNSNames: []string{"c*.a.example"}}, "chat.a.example", false},
		{"wildcard in the second label", x509.Certificate{DNSNames: []string{"chat.*.example"}}, "chat.a.example", false},
		{"two wildcards", x509.Certificate{DNSNames: []string{"*.*.example"}}, "chat.a.example", false},
		{"wildcard alone", x509.Certificate{DNSNames: []string{"*"}}, "example", false},
		{"wildcard for an address", x509.Certificate{DNSNames: []string{"*.0.2.1"}}, "192.0.2.1", false},

		{"CVE-2025-59154: common name", x509.Certificate{Subject: pkix.Name{CommonName: "a.example"}}, "a.example", false},
		{"CVE-2025-59154: common name written into another field", x509.Certificate{Subject: pkix.Name{
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: organisation, Value: "CN=a.example,"}},
		}}, "a.example", false},
		{"NUL in a name", x509.Certificate{DNSNames: []string{"a.example\x00.b.example"}}, "a.example", false},

		{"U-labels", x509.Certificate{DNSNames: []string{"xn--bcher-kva.example"}}, "bücher.example", true},
		{"A-labels", x509.Certificate{DNSNames: []string{"xn--bcher-kva.example"}}, "xn--bcher-kva.example", true},
		{"wildcard for an A-label", x509.Certificate{DNSNames: []string{"*.example"}}, "bücher.example", true},
		{"wildcard in an A-label", x509.Certificate{DNSNames: []string{"xn--*.example"}}, "bücher.example", false},

		{"IPv4", x509.Certificate{IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}}, "192.0.2.1", true},
		{"IPv6", x509.Certificate{IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}}, "[2001:DB8::1]", true},
		{"other IPv4", x509.Certificate{IPAddresses: []net.IP{net.IPv4(192, 0, 2, 2)}}, "192.0.2.1", false},
		{"address as DNS-ID", x509.Certificate{DNSNames: []string{"192.0.2.1"}}, "192.0.2.1", false},

		{"SRV-ID", withNames(t, srvID("_xmpp-server.a.example")), "a.example", true},
		{"SRV-ID of direct TLS", withNames(t, srvID("_xmpps-server.a.example")), "a.example", true},
		{"SRV-ID in capitals", withNames(t, srvID("_XMPP-Server.A.Example")), "a.example", true},
		{"SRV-ID for clients", withNames(t, srvID("_xmpp-client.a.example")), "a.example", false},
		{"SRV-ID with a wildcard", withNames(t, srvID("_xmpp-server.*.example")), "a.example", false},
		{"SRV-ID without a service", withNames(t, srvID("a.example")), "a.example", false},
		{"SRV-ID of the wrong type of text", withNames(t, other{oidSRV, asn1.TagUTF8String, "_xmpp-server.a.example"}), "a.example", false},
		{"XmppAddr", withNames(t, xmppAddr("a.example")), "a.example", true},
		{"XmppAddr with U-labels", withNames(t, xmppAddr("bücher.example")), "xn--bcher-kva.example", true},
		{"XmppAddr of an account", withNames(t, xmppAddr("juliet@a.example")), "a.example", false},
		{"XmppAddr of a session", withNames(t, xmppAddr("a.example/balcony")), "a.example", false},
		{"XmppAddr with NUL", withNames(t, xmppAddr("a.example\x00.b.example")), "a.example", false},
		{"name of an unknown kind", withNames(t, other{asn1.ObjectIdentifier{1, 2, 3}, asn1.TagUTF8String, "a.example"}), "a.example", false},
		{"second of several names", withNames(t, xmppAddr("b.example"), srvID("_xmpp-server.a.example")), "a.example", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Verify(chain(generate(t, c.template, &root)), c.domain, Evidence{}, roots)
			if c.want != (err == nil) {
				t.Errorf("got %v, want accepted: %v", err, c.want)
			}
			if err != nil && !errors.Is(err, ErrName) {
				t.Errorf("got %v, want %v", err, ErrName)
			}
		})
	}
}

func withNames(t testing.TB, all ...other) x509.Certificate {
	return x509.Certificate{ExtraExtensions: []pkix.Extension{otherNames(t, false, all...)}}
}

// TestDomains refuses what can be no domain.
func TestDomains(t *testing.T) {
	t.Parallel()
	root := authority(t, "root", nil)
	leaf := generate(t, x509.Certificate{DNSNames: []string{"a.example", "*.example", "*"}}, &root)
	for _, domain := range []string{"", ".", "a..example", "*.example", "a.example/x", "u@a.example", "a b.example", "a.example\x00", string(make([]byte, 300))} {
		if err := Verify(chain(leaf), domain, Evidence{}, pool(root)); err == nil {
			t.Errorf("%q was accepted", domain)
		}
	}
}

// TestCriticalNames accepts a certificate whose names are of other kinds only and marked as critical.
func TestCriticalNames(t *testing.T) {
	t.Parallel()
	root := authority(t, "root", nil)
	leaf := generate(t, x509.Certificate{ExtraExtensions: []pkix.Extension{otherNames(t, true, xmppAddr("a.example"))}}, &root)
	if err := Verify(chain(leaf), "a.example", Evidence{}, pool(root)); err != nil {
		t.Error(err)
	}
	if err := Verify(chain(leaf), "b.example", Evidence{}, pool(root)); !errors.Is(err, ErrName) {
		t.Errorf("got %v, want %v", err, ErrName)
	}
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}
	leaf = generate(t, x509.Certificate{DNSNames: []string{"a.example"}, ExtraExtensions: []pkix.Extension{unknown}}, &root)
	if err := Verify(chain(leaf), "a.example", Evidence{}, pool(root)); err == nil {
		t.Error("a certificate with an unknown critical extension was accepted")
	}
}

// TestConstrainedAuthority lets an authority that may sign for b.example only sign for nothing else, in no kind of name.
func TestConstrainedAuthority(t *testing.T) {
	t.Parallel()
	root := authority(t, "root", nil)
	limited := generate(t, x509.Certificate{Subject: pkix.Name{CommonName: "limited"}, IsCA: true, PermittedDNSDomains: []string{"b.example"}}, &root)
	for name, template := range map[string]x509.Certificate{
		"DNS-ID": {DNSNames: []string{"a.example"}}, "SRV-ID": withNames(t, srvID("_xmpp-server.a.example")), "XmppAddr": withNames(t, xmppAddr("a.example")),
	} {
		if err := Verify(chain(generate(t, template, &limited), limited), "a.example", Evidence{}, pool(root)); err == nil {
			t.Errorf("%s of a domain that the authority may not sign for was accepted", name)
		}
	}
	leaf := generate(t, x509.Certificate{DNSNames: []string{"b.example"}}, &limited)
	if err := Verify(chain(leaf, limited), "b.example", Evidence{}, pool(root)); err != nil {
		t.Error(err)
	}
}

// TestPaths verifies certificates for the right domain whose path or use is wrong.
func TestPaths(t *testing.T) {
	t.Parallel()
	root, foreign := authority(t, "root", nil), authority(t, "another root", nil)
	intermediate := authority(t, "intermediate", &root)
	domain := func(edit func(*x509.Certificate)) x509.Certificate {
		c := x509.Certificate{DNSNames: []string{"a.example"}}
		if edit != nil {
			edit(&c)
		}
		return c
	}
	uses := func(u x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{u} }
	}
	expired := func(ago time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-ago) }
	}
	early := func(in time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore = time.Now().Add(in) }
	}
	leafAsAuthority := generate(t, domain(nil), &root)
	for _, c := range []struct {
		name      string
		chain     []*x509.Certificate
		initiator bool
		want      bool
	}{
		{"root", chain(generate(t, domain(nil), &root)), false, true},
		{"intermediate", chain(generate(t, domain(nil), &intermediate), intermediate), false, true},
		{"order of the chain", chain(generate(t, domain(nil), &intermediate), foreign, intermediate), false, true},
		{"intermediate is missing", chain(generate(t, domain(nil), &intermediate)), false, false},
		{"CVE-2014-3451: signed by itself", chain(generate(t, domain(nil), nil)), false, false},
		{"CVE-2014-3451: another root", chain(generate(t, domain(nil), &foreign)), false, false},
		{"the other root in the chain", chain(generate(t, domain(nil), &foreign), foreign), false, false},
		{"signed by a certificate that is no authority", chain(generate(t, domain(nil), &leafAsAuthority), leafAsAuthority), false, false},
		{"CVE-2014-3451: expired", chain(generate(t, domain(expired(time.Minute+clockSkew)), &root)), false, false},
		{"expired within the skew of clocks", chain(generate(t, domain(expired(time.Minute)), &root)), false, true},
		{"not valid yet", chain(generate(t, domain(early(time.Minute+clockSkew)), &root)), false, false},
		{"not valid yet within the skew of clocks", chain(generate(t, domain(early(time.Minute)), &root)), false, true},
		{"for clients, of a server", chain(generate(t, domain(uses(x509.ExtKeyUsageClientAuth)), &root)), false, false},
		{"for clients, of who opened the connection", chain(generate(t, domain(uses(x509.ExtKeyUsageClientAuth)), &root)), true, true},
		{"for servers, of who opened the connection", chain(generate(t, domain(nil), &root)), true, true},
		{"for mail", chain(generate(t, domain(uses(x509.ExtKeyUsageEmailProtection)), &root)), true, false},
		{"for any use", chain(generate(t, domain(uses(x509.ExtKeyUsageAny)), &root)), false, true},
		{"none", nil, false, false},
		{"too many", make([]*x509.Certificate, maxChain+1), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Verify(c.chain, "a.example", Evidence{Initiator: c.initiator}, pool(root))
			if c.want != (err == nil) {
				t.Errorf("got %v, want accepted: %v", err, c.want)
			}
		})
	}
}

// TestHugeNameList is OF-3159: names beyond a limit are not examined.
func TestHugeNameList(t *testing.T) {
	t.Parallel()
	root := authority(t, "root", nil)
	var hosts []string
	var others []other
	for i := range maxNames {
		hosts = append(hosts, fmt.Sprintf("%d.example", i))
		others = append(others, xmppAddr(fmt.Sprintf("%d.example", i)))
	}
	for _, template := range []x509.Certificate{
		{DNSNames: append(hosts, "a.example")}, withNames(t, append(others, xmppAddr("a.example"))...),
	} {
		leaf := generate(t, template, &root)
		if err := Verify(chain(leaf), "a.example", Evidence{}, pool(root)); !errors.Is(err, ErrName) {
			t.Errorf("got %v, want %v", err, ErrName)
		}
		if err := Verify(chain(leaf), "999.example", Evidence{}, pool(root)); err != nil {
			t.Errorf("last name that is examined: %v", err)
		}
	}
}

// FuzzNames reads extensions with names that mean nothing.
func FuzzNames(f *testing.F) {
	f.Add(otherNames(f, false, xmppAddr("a.example"), srvID("_xmpp-server.b.example")).Value, "a.example")
	f.Add([]byte{0x30, 0x80, 0xa0, 0x82, 0xff, 0xff}, "b.example")
	f.Fuzz(func(t *testing.T, value []byte, domain string) {
		leaf := &x509.Certificate{Extensions: []pkix.Extension{{Id: oidNames, Value: value}}}
		n := namesOf(leaf)
		for _, name := range append(n.srv, n.xmpp...) {
			if again, err := ASCII(name); err != nil || again != name {
				t.Errorf("%q is not in its final form: %q, %v", name, again, err)
			}
		}
		if ascii, err := ASCII(domain); err == nil {
			if again, err := ASCII(ascii); err != nil || again != ascii {
				t.Errorf("%q becomes %q, then %q, %v", domain, ascii, again, err)
			}
		}
	})
}
