package socket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sockets returns both ends of a loopback connection.
func sockets(tb testing.TB) (a, b *Conn) {
	tb.Helper()
	x, y := rawstream.Pair(tb)
	return New(x), New(y)
}

// secure does a TLS handshake over both.
func secure(tb testing.TB, server, client *Conn) {
	tb.Helper()
	own, err := NewSelfSignedCertificate(filepath.Join(tb.TempDir(), "own.pem"), []string{"example.org"})
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := own.Certificate("")
	if err != nil {
		tb.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	done := make(chan error, 1)
	go func() { done <- server.ServerTLS(context.Background(), ServerTLS(own.Certificate, "")) }()
	err = client.ClientTLS(tb.Context(), &tls.Config{ServerName: "example.org", RootCAs: roots})
	if e := <-done; err != nil || e != nil {
		tb.Fatal(err, e)
	}
}
