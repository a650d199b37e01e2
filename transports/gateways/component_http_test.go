package gateways

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
)

// Gateways under another server open no ports that this may use itself, unless the configuration has their public address.
func TestComponentFiles(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Server.Data = t.TempDir()
	closed := c
	closed.Listen = config.Listen{}
	s, err := server.New(t.Context(), closed, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m, err := newMaker(t.Context(), c, Options{}, s.Store())
	if err != nil {
		t.Fatal(err)
	}
	if f, err := m.listen(t.Context(), c); err != nil || f.web != nil || len(f.plain)+len(f.tls) > 0 {
		t.Errorf("without an address: %+v, %v", f, err)
	}

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	c.Web.URL, c.Listen.HTTP = "https://files.example.org", []string{"127.0.0.1:0", taken.Addr().String()}
	if _, err := m.listen(t.Context(), c); err == nil || !strings.Contains(err.Error(), "listen.http: ") {
		t.Errorf("on a port that is taken: %v", err)
	}
	c.TLS.Certificate, c.TLS.Key = filepath.Join(c.Server.Data, "no.pem"), filepath.Join(c.Server.Data, "no.pem")
	if _, err := m.listen(t.Context(), c); err == nil || !strings.Contains(err.Error(), "tls.certificate: ") {
		t.Errorf("without the certificate: %v", err)
	}
	c.TLS, c.Listen.HTTP = config.TLS{}, []string{"127.0.0.1:0"}
	f, err := m.listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	all := f.run(ctx, stop)
	answer, err := http.Get("http://" + f.plain[0].Addr().String() + "/media/unknown/x")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("a file that there is not: %s", answer.Status)
	}
	stop(nil)
	all.Wait()
	f.shutdown(t.Context())
	if len(f.counts()) == 0 {
		t.Error("no limit is counted")
	}
}
