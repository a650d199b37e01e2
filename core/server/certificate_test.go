package server

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/identity/identitytest"
)

// xmppNames returns a subjectAltName with XMPP addresses (RFC 6120 §13.7.1.4).
func xmppNames(t *testing.T, critical bool, tag int, addresses ...string) pkix.Extension {
	t.Helper()
	var names []asn1.RawValue
	for _, a := range addresses {
		text, err := asn1.Marshal(asn1.RawValue{Tag: tag, Bytes: []byte(a)})
		if err != nil {
			t.Fatal(err)
		}
		kind, err := asn1.Marshal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5})
		if err != nil {
			t.Fatal(err)
		}
		explicit, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: text})
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: append(kind, explicit...)})
	}
	value, err := asn1.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: critical, Value: value}
}

// TestClientCertificates logs in with certificates (XEP-0178 §2).
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	authority, other := identitytest.NewAuthority(t), identitytest.NewAuthority(t)
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	with := func(e pkix.Extension) *x509.Certificate {
		return &x509.Certificate{ExtraExtensions: []pkix.Extension{e}, ExtKeyUsage: client}
	}
	romeo := func() *x509.Certificate { return with(xmppNames(t, false, asn1.TagUTF8String, "romeo@home.test")) }
	expired := romeo()
	expired.NotBefore, expired.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	forServers := romeo()
	forServers.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	both := func() *x509.Certificate {
		return with(xmppNames(t, false, asn1.TagUTF8String, "romeo@home.test", "juliet@home.test"))
	}
	p := newTestServer(t, extra{component: fmt.Sprintf("[tls]\nclient_ca = %q\n", authority.File), limits: "new_connections = 0"})
	defer p.stop()
	byEmail := newTestServer(t, extra{component: fmt.Sprintf("[tls]\nclient_ca = %q\nclient_email = true\n", authority.File), limits: "new_connections = 0"})
	defer byEmail.stop()
	const notOffered = "<invalid-mechanism/>"
	for name, c := range map[string]struct {
		server  *testServer
		by      *identitytest.Authority
		cert    *x509.Certificate
		authzid string
		want    string
	}{
		"one address":         {p, authority, romeo(), "", "<success "},
		"named":               {p, authority, romeo(), "romeo@home.test", "<success "},
		"critical":            {p, authority, with(xmppNames(t, true, asn1.TagUTF8String, "romeo@home.test")), "", "<success "},
		"capitals":            {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "Romeo@HOME.test")), "", "<success "},
		"one of this host":    {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "romeo@home.test", "romeo@elsewhere.test")), "", "<success "},
		"several":             {p, authority, both(), "", "<invalid-authzid/>"},
		"one of several":      {p, authority, both(), "juliet@home.test", "<success "},
		"another's":           {p, authority, romeo(), "juliet@home.test", "<invalid-authzid/>"},
		"a session's":         {p, authority, romeo(), "romeo@home.test/x", "<invalid-authzid/>"},
		"no account":          {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "tybalt@home.test")), "", "<not-authorized/>"},
		"another host":        {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "romeo@elsewhere.test")), "", notOffered},
		"the host":            {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "home.test")), "", notOffered},
		"with resource":       {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "romeo@home.test/x")), "", notOffered},
		"NUL":                 {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "romeo@home.test\x00.evil.test")), "", notOffered},
		"wildcard":            {p, authority, with(xmppNames(t, false, asn1.TagUTF8String, "*@home.test")), "", notOffered},
		"another string":      {p, authority, with(xmppNames(t, false, asn1.TagIA5String, "romeo@home.test")), "", notOffered},
		"rubbish":             {p, authority, with(pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: []byte{0x30, 0x03, 0xa0, 0x01, 0x06}}), "", notOffered},
		"unknown authority":   {p, other, romeo(), "", notOffered},
		"expired":             {p, authority, expired, "", notOffered},
		"for servers":         {p, authority, forServers, "", notOffered},
		"CVE-2025-59154 CN":   {p, authority, &x509.Certificate{Subject: pkix.Name{CommonName: "romeo@home.test"}, ExtKeyUsage: client}, "", notOffered},
		"CVE-2025-59154 OU":   {p, authority, &x509.Certificate{Subject: pkix.Name{OrganizationalUnit: []string{"CN=romeo@home.test,"}, CommonName: "x"}, ExtKeyUsage: client}, "", notOffered},
		"e-mail, not mapped":  {p, authority, &x509.Certificate{EmailAddresses: []string{"romeo@home.test"}, ExtKeyUsage: client}, "", notOffered},
		"e-mail":              {byEmail, authority, &x509.Certificate{EmailAddresses: []string{"romeo@home.test"}, ExtKeyUsage: client}, "", "<success "},
		"DNS name as account": {byEmail, authority, &x509.Certificate{DNSNames: []string{"home.test"}, ExtKeyUsage: client}, "", notOffered},
	} {
		t.Run(name, func(t *testing.T) {
			conf := anyTLS.Clone()
			conf.ClientSessionCache = nil
			cert := c.by.Sign(t, c.cert)
			conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
			s := c.server.unencrypted()
			s.T = t
			s.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			s.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			s.TLS(conf)
			s.Send(head("jabber:client", "home.test"))
			if offered := strings.Contains(s.Until("</stream:features>"), "<mechanism>EXTERNAL<"); offered != (c.want != notOffered) {
				t.Errorf("EXTERNAL is offered: %t", offered)
			}
			data := auth("EXTERNAL", c.authzid)
			if c.authzid == "" {
				data = strings.Replace(data, "></auth>", ">=</auth>", 1)
			}
			s.Send(data)
			s.Until(c.want)
			if c.want != "<success " { // a certificate that is not accepted keeps nobody from using a password
				s.Send(plainAuth("romeo", "romeo"))
				s.Until("<success ")
			}
		})
	}
	if got := p.encrypted(); got == nil {
		t.Error("a client without a certificate")
	}
}

// TestRevokedCertificate refuses a certificate that its authority has revoked, and ends the session of one that it revokes meanwhile.
func TestRevokedCertificate(t *testing.T) {
	t.Parallel()
	authority := identitytest.NewAuthority(t)
	issue := func() tls.Certificate {
		return authority.Sign(t, &x509.Certificate{
			ExtraExtensions: []pkix.Extension{xmppNames(t, false, asn1.TagUTF8String, "romeo@home.test")}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
	}
	good, bad := issue(), issue()
	until := time.Now().Add(time.Hour)
	lists := authority.Revoke(t, until, bad)
	p := newTestServer(t, extra{component: fmt.Sprintf("[tls]\nclient_ca = %q\nclient_crl = [%q]\n", authority.File, lists)})
	defer p.stop()
	connect := func(cert tls.Certificate) (s *peer, offered bool) {
		conf := anyTLS.Clone()
		conf.ClientSessionCache = nil
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
		s = p.unencrypted()
		s.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		s.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		s.TLS(conf)
		s.Send(head("jabber:client", "home.test"))
		return s, strings.Contains(s.Until("</stream:features>"), "<mechanism>EXTERNAL<")
	}
	if _, offered := connect(bad); offered {
		t.Error("EXTERNAL is offered for a certificate that was revoked")
	}
	s, offered := connect(good)
	if !offered {
		t.Fatal("EXTERNAL is not offered")
	}
	s.Send(strings.Replace(auth("EXTERNAL", ""), "></auth>", ">=</auth>", 1))
	s.Until("<success ")
	s.Send(head("jabber:client", "home.test") + bindX)
	s.Until("</jid></bind></iq>")
	authority.Revoke(t, until, bad, good)
	ended := repeatedly(func(i int) { p.server.clients.Recheck(t.Context(), time.Now().Add(time.Duration(i)*time.Hour)) })
	got := s.rest()
	ended()
	if !strings.Contains(got, "<reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>") {
		t.Errorf("the stream ends with %s", got)
	}
}

// repeatedly calls a function again and again until the result is called, which waits for it.
func repeatedly(f func(i int)) (end func()) {
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				f(i)
			}
		}
	})
	return func() {
		close(stop)
		running.Wait()
	}
}
