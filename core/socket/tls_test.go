package socket

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "own.pem")
	hosts := []string{"Example.ORG", "bücher.example", "127.0.0.1", "[::1]"}
	own, err := NewSelfSignedCertificate(path, hosts)
	if err != nil {
		t.Fatal(err)
	}
	first, err := own.Certificate("example.org")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"example.org", "xn--bcher-kva.example", "127.0.0.1", "[::1]"} {
		if err := first.Leaf.VerifyHostname(h); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	again, err := NewSelfSignedCertificate(path, hosts)
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.Certificate("")
	if err != nil || !bytes.Equal(first.Certificate[0], second.Certificate[0]) {
		t.Error("the certificate is not the one in the file", err)
	}

	now := time.Now()
	again.now = func() time.Time { return now.Add(ownLifetime - ownRenewal - 2*time.Hour) }
	if c, err := again.Certificate(""); err != nil || c != second {
		t.Error("renewed too early", err)
	}
	again.now = func() time.Time { return now.Add(ownLifetime - ownRenewal + 2*time.Hour) }
	renewed, err := again.Certificate("")
	if err != nil || renewed == second || renewed.Leaf.NotAfter.Sub(now) < ownLifetime {
		t.Error("not renewed", err)
	}
	more, err := NewSelfSignedCertificate(path, append(hosts, "new.example"))
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := more.Certificate(""); c.Leaf.VerifyHostname("new.example") != nil {
		t.Error("the certificate does not cover a host that was added")
	}
	if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewSelfSignedCertificate(path, hosts); err == nil {
		t.Error("a file that is not a certificate was accepted or replaced")
	}
	if _, err := NewSelfSignedCertificate(path, nil); err == nil {
		t.Error("certificate without hosts")
	}
	if _, err := NewSelfSignedCertificate(path, []string{"a b"}); err == nil {
		t.Error("certificate for an invalid host name")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".cert-*")); len(left) > 0 {
		t.Error(left)
	}
}

func TestServerTLS(t *testing.T) { // checklist 24 25
	t.Parallel()
	own, err := NewSelfSignedCertificate(filepath.Join(t.TempDir(), "c.pem"), []string{"example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		server       string
		client       *tls.Config
		ok, exporter bool
	}{
		{"starttls", "", &tls.Config{}, true, true},
		{"tls 1.2", "", &tls.Config{MaxVersion: tls.VersionTLS12}, true, true}, // with the extended master secret
		{"tls 1.1", "", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false, false},
		{"direct", ALPNClient, &tls.Config{NextProtos: []string{ALPNClient}}, true, true},
		{"direct without alpn", ALPNClient, &tls.Config{}, true, true},
		{"direct with another alpn", ALPNClient, &tls.Config{NextProtos: []string{"h2"}}, false, false},
		{"alpn after starttls", "", &tls.Config{NextProtos: []string{ALPNClient}}, true, true},
	} {
		near, far := sockets(t)
		c.client.ServerName, c.client.InsecureSkipVerify = "example.org", true
		done := make(chan error, 1)
		go func() {
			err := near.ServerTLS(t.Context(), ServerTLS(own.Certificate, c.server))
			if err != nil {
				_ = near.Close()
			}
			done <- err
		}()
		err := far.ClientTLS(t.Context(), c.client)
		serverErr := <-done
		if (err == nil && serverErr == nil) != c.ok {
			t.Errorf("%s: %v, %v", c.name, err, serverErr)
			continue
		}
		if !c.ok {
			continue
		}
		x, _ := near.TLS()
		y, _ := far.TLS()
		if c.server != "" && len(c.client.NextProtos) > 0 && x.NegotiatedProtocol != ALPNClient {
			t.Errorf("%s: negotiated %q", c.name, x.NegotiatedProtocol)
		}
		b1, err1 := Exporter(x)
		b2, err2 := Exporter(y)
		if c.exporter && (err1 != nil || err2 != nil || !bytes.Equal(b1, b2) || len(b1) != 32) {
			t.Errorf("%s: exporters %x %v, %x %v", c.name, b1, err1, b2, err2)
		}
		cert, _ := own.Certificate(x.ServerName)
		e1, err1 := EndPoint(cert)
		e2, err2 := EndPoint(&tls.Certificate{Certificate: [][]byte{y.PeerCertificates[0].Raw}})
		if err1 != nil || err2 != nil || !bytes.Equal(e1, e2) || len(e1) != 32 {
			t.Errorf("%s: end points %v %v", c.name, err1, err2)
		}
	}
	if _, err := Exporter(tls.ConnectionState{}); err == nil {
		t.Error("channel binding before the handshake")
	}
	if _, err := EndPoint(&tls.Certificate{}); err == nil {
		t.Error("channel binding of no certificate")
	}
	if _, err := EndPoint(&tls.Certificate{Leaf: &x509.Certificate{SignatureAlgorithm: x509.PureEd25519}}); err == nil {
		t.Error("tls-server-end-point of an Ed25519 certificate, which RFC 5929 does not define")
	}
}

// close_notify is sent before the end of the TCP connection (RFC 6120 §4.4). crypto/tls does not report a missing
// close_notify in this case, so the test reads the bytes below TLS.
func TestCloseNotify(t *testing.T) { // checklist 12
	t.Parallel()
	near, far := sockets(t)
	secure(t, near, far)
	if _, err := near.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, make([]byte, 1)); err != nil { // and with it all that came before
		t.Fatal(err)
	}
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(far.raw.Conn)
	if len(rest) < 7 || rest[0] != 21 && rest[0] != 23 || len(rest) != 5+int(rest[3])<<8+int(rest[4]) || err != nil { // RFC 8446 §5.1
		t.Errorf("one record expected, got % x, %v", rest, err)
	}
}

// plainConn hides all methods of a connection beside those of net.Conn.
type plainConn struct{ net.Conn }

func TestConnWithoutSocket(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if New(a).CanTry() || New(plainConn{a}).CanTry() {
		t.Error("CanTry is true for a connection without non-blocking writes")
	}
	near, _ := sockets(t)
	if !near.CanTry() && slices.Contains([]string{"linux", "darwin"}, runtime.GOOS) {
		t.Error("CanTry is false for a socket")
	}
	if near.LocalAddr() == nil || near.RemoteAddr() == nil || near.SetDeadline(time.Time{}) != nil || near.SetReadDeadline(time.Time{}) != nil {
		t.Error("addresses and deadlines")
	}
}
