package socketpair

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/socket"
)

// New returns both ends of a loopback connection.
func New(tb testing.TB) (a, b *socket.Conn) {
	tb.Helper()
	x, y := rawstream.Pair(tb)
	return socket.New(x), socket.New(y)
}

// Secure does a TLS handshake over both.
func Secure(tb testing.TB, server, client *socket.Conn) {
	tb.Helper()
	own, err := socket.NewSelfSignedCertificate(filepath.Join(tb.TempDir(), "own.pem"), []string{"example.org"})
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
	go func() { done <- server.ServerTLS(context.Background(), socket.ServerTLS(own.Certificate, "")) }()
	err = client.ClientTLS(tb.Context(), &tls.Config{ServerName: "example.org", RootCAs: roots})
	if e := <-done; err != nil || e != nil {
		tb.Fatal(err, e)
	}
}
